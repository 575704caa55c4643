const ORIENTATION = 0x0112;
const SHORT = 3;
const LONG = 4;

/**
 * The orientation that an EXIF block asks for, 1 (as stored) to 8; 1 where the block says nothing or is damaged, as viewers
 * take it. Reads the first directory only, where the tag stands (TIFF 6.0, section 2; CIPA DC-008, 4.6.4).
 */
export function exifOrientation(block: Uint8Array): number {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  // Some writers put the marker of a JPEG segment before the block in the other formats too.
  const start = bytes.toString('latin1', 0, 6) === 'Exif\0\0' ? 6 : 0;
  const tiff = bytes.subarray(start);
  const order = tiff.toString('latin1', 0, 4);
  if ((order !== 'II*\0' && order !== 'MM\0*') || tiff.length < 8) return 1;
  const little = order === 'II*\0';
  const short = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const long = (at: number): number => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = long(4);
  if (directory + 2 > tiff.length) return 1;
  const entries = short(directory);
  for (let index = 0; index < entries; index += 1) {
    const entry = directory + 2 + 12 * index;
    if (entry + 12 > tiff.length) return 1;
    if (short(entry) !== ORIENTATION) continue;
    const type = short(entry + 2);
    const value = type === SHORT ? short(entry + 8) : type === LONG ? long(entry + 8) : 1;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
