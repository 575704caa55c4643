/** Image formats that are read: the common ones whose pixels are 8 bits a channel. */
export type ImageFormat = 'png' | 'jpeg' | 'webp';

interface Signature {
  readonly name: string;
  readonly at: number;
  readonly bytes: string;
}

const sign = (name: string, bytes: string, at = 0): Signature => ({ name, bytes, at });

const READ: readonly (Signature & { readonly name: ImageFormat })[] = [
  { name: 'png', at: 0, bytes: '\x89PNG\r\n\x1a\n' },
  { name: 'jpeg', at: 0, bytes: '\xff\xd8\xff' },
  { name: 'webp', at: 8, bytes: 'WEBP' },
];

/** What clients send in place of an image that is read, so that a refusal can say what it saw. */
const OTHERS: readonly Signature[] = [
  sign('a GIF file', 'GIF8'),
  sign('a TIFF file', 'II*\0'),
  sign('a TIFF file', 'MM\0*'),
  sign('a BigTIFF file', 'II+\0'),
  sign('a BigTIFF file', 'MM\0+'),
  sign('a BMP file', 'BM'),
  sign('an AVIF file', 'ftypavif', 4),
  sign('an AVIF file', 'ftypavis', 4),
  sign('a HEIC file', 'ftyphei', 4),
  sign('a HEIC file', 'ftyphev', 4),
  sign('a HEIC file', 'ftypmif1', 4),
  sign('a HEIC file', 'ftypmsf1', 4),
  sign('an MP4 or QuickTime file', 'ftyp', 4),
  sign('a JPEG XL file', '\xff\x0a'),
  sign('a JPEG XL file', 'JXL \r\n', 4),
  sign('a JPEG 2000 file', 'jP  \r\n', 4),
  sign('an icon (ICO)', '\0\0\x01\0'),
  sign('a Photoshop file', '8BPS'),
  sign('an OpenEXR file', 'v/1\x01'),
  sign('a PDF file', '%PDF'),
  sign('a ZIP archive', 'PK\x03\x04'),
  sign('gzip', '\x1f\x8b'),
  sign('a NumPy file', '\x93NUMPY'),
  sign('an HDF5 file', '\x89HDF\r\n'),
  sign('an SVG image', '<svg'),
  sign('HTML', '<!DOCTYPE html'),
  sign('HTML', '<html'),
  sign('XML', '<?xml'),
  sign('a data: URI', 'data:'),
  sign('base64 text of an image', 'iVBORw0KGgo'),
  sign('base64 text of an image', '/9j/'),
  sign('base64 text of an image', 'UklGR'),
];

/** How many bytes `describeBytes` looks at. */
const LOOKED_AT = 64;

function begins(head: string, { at, bytes }: Signature): boolean {
  return head.startsWith(bytes, at);
}

/** The format that the first bytes announce, or null where it is none that is read. */
export function imageFormat(bytes: Uint8Array): ImageFormat | null {
  const head = Buffer.from(bytes.subarray(0, LOOKED_AT)).toString('latin1');
  return READ.find((signature) => begins(head, signature))?.name ?? null;
}

/** What bytes are that are no image that is read, as far as their beginning tells: "a GIF file", "text". */
export function describeBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty';
  const head = Buffer.from(bytes.subarray(0, LOOKED_AT)).toString('latin1');
  const known = OTHERS.find((signature) => begins(head, signature));
  if (known !== undefined) return known.name;
  if (/^\0+$/.test(head)) return 'zeros';
  if (/^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(head) && /[a-z ]{3}/i.test(head)) return 'text';
  return 'of no format that is known';
}
