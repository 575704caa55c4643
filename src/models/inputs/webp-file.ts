import { brokenImage, countParts, cutOff } from './broken-image.ts';
import { exifOrientation } from './exif-orientation.ts';
import type { ImageFile } from './image-file.ts';

// RFC 9649: the container in section 2, the headers of the two codings in 2.5 and 3.4.

const VP8X_ALPHA = 0x10;
const VP8X_ANIMATION = 0x02;
const RIFF_HEADER = 12;

interface Size {
  readonly width: number;
  readonly height: number;
  readonly alpha: boolean;
}

/** @throws DomainError `input_undecodable` */
export function readWebp(file: Buffer): ImageFile {
  if (file.length < RIFF_HEADER || file.toString('latin1', 0, 4) !== 'RIFF') brokenImage('it is no RIFF file');
  const stated = file.readUInt32LE(4) + 8;
  if (stated > file.length) cutOff();
  const count = countParts('chunks');
  let canvas: Size | null = null;
  let image: { readonly size: Size; readonly chunk: Buffer } | null = null;
  let alpha = false;
  let animated = false;
  let orientation = 1;
  let at = RIFF_HEADER;
  while (at + 8 <= stated) {
    count();
    const type = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    const end = at + 8 + length;
    if (end > stated) brokenImage('one of its chunks is longer than the file');
    const content = file.subarray(at + 8, end);
    // An odd chunk is followed by a byte that belongs to none.
    const next = Math.min(stated, end + (length % 2));
    if (type === 'VP8X') {
      if (at !== RIFF_HEADER || length < 10) brokenImage('its VP8X chunk is not valid');
      const flags = content[0]!;
      animated ||= (flags & VP8X_ANIMATION) !== 0;
      alpha ||= (flags & VP8X_ALPHA) !== 0;
      canvas = { width: 1 + content.readUIntLE(4, 3), height: 1 + content.readUIntLE(7, 3), alpha };
    } else if (type === 'ANIM' || type === 'ANMF') animated = true;
    else if (type === 'ALPH') alpha = true;
    else if (type === 'EXIF') orientation = exifOrientation(content);
    else if (type === 'VP8 ' || type === 'VP8L') {
      if (image !== null) brokenImage('it has two images');
      const size = type === 'VP8L' ? losslessSize(content) : lossySize(content);
      image = { size, chunk: file.subarray(at, next) };
    } else if (at === RIFF_HEADER) brokenImage('it begins with no image');
    at = next;
  }
  const size = canvas ?? image?.size;
  if (size === undefined) brokenImage('it has no image data');
  if (image === null && !animated) brokenImage('it has no image data');
  if (canvas !== null && image !== null && !animated) {
    const { width, height } = image.size;
    if (width !== canvas.width || height !== canvas.height) brokenImage('its image does not fill its canvas');
  }
  return {
    format: 'webp',
    width: size.width,
    height: size.height,
    bitsPerChannel: 8,
    colour: 'rgb',
    alpha: alpha || (image?.size.alpha ?? false),
    animated,
    orientation,
    pixelParts: image === null ? [] : [riffHeader(image.chunk.length), image.chunk],
  };
}

function riffHeader(chunkLength: number): Buffer {
  const header = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  header.writeUInt32LE(4 + chunkLength, 4);
  return header;
}

function lossySize(content: Buffer): Size {
  if (content.length < 10 || content.readUIntBE(3, 3) !== 0x9d012a || (content[0]! & 1) !== 0)
    brokenImage('its image data have no valid header');
  return { width: content.readUInt16LE(6) & 0x3fff, height: content.readUInt16LE(8) & 0x3fff, alpha: false };
}

function losslessSize(content: Buffer): Size {
  if (content.length < 5 || content[0] !== 0x2f) brokenImage('its image data have no valid header');
  const bits = content.readUInt32LE(1);
  return {
    width: 1 + (bits & 0x3fff),
    height: 1 + ((bits >>> 14) & 0x3fff),
    alpha: ((bits >>> 28) & 1) === 1,
  };
}
