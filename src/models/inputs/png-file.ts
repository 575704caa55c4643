import { crc32 } from 'node:zlib';
import { brokenImage, countParts, cutOff } from './broken-image.ts';
import { exifOrientation } from './exif-orientation.ts';
import type { ImageFile } from './image-file.ts';

// PNG (third edition), sections 5 and 11.

const SIGNATURE_LENGTH = 8;
/** Bit depths that each colour type allows (11.2.1): grey, rgb, palette, grey with alpha, rgb with alpha. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const ANIMATION = ['acTL', 'fcTL', 'fdAT'];
const GREY_TYPES = [0, 4];
const ALPHA_TYPES = [4, 6];
const PALETTE = 3;

/** @throws DomainError `input_undecodable` */
export function readPng(file: Buffer): ImageFile {
  const count = countParts('chunks');
  const parts: Buffer[] = [file.subarray(0, SIGNATURE_LENGTH)];
  let header: Buffer | null = null;
  let data = false;
  let transparent = false;
  let animated = false;
  let orientation = 1;
  for (let at = SIGNATURE_LENGTH; ; ) {
    count();
    if (at + 12 > file.length) cutOff();
    const length = file.readUInt32BE(at);
    const end = at + 12 + length;
    const type = file.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) brokenImage(`no PNG chunk begins at byte ${at}`);
    if (end > file.length) cutOff();
    if (crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) {
      brokenImage(`its ${type} chunk is damaged (its CRC differs)`);
    }
    const content = file.subarray(at + 8, end - 4);
    if (header === null && type !== 'IHDR') brokenImage('a PNG begins with an IHDR chunk');
    switch (type) {
      case 'IHDR':
        if (header !== null || length !== 13) brokenImage('its IHDR chunk is not valid');
        header = content;
        break;
      case 'IDAT':
        data = true;
        break;
      case 'PLTE':
        if (data || length % 3 !== 0 || length > 768) brokenImage('its palette is not valid');
        break;
      case 'tRNS':
        transparent = true;
        break;
      case 'eXIf':
        orientation = exifOrientation(content);
        break;
      default:
        if (ANIMATION.includes(type)) animated = true;
    }
    // A chunk with a capital initial must not be skipped (5.4); one with a small initial may be.
    if (/^[A-Z]/.test(type)) {
      if (!['IHDR', 'PLTE', 'IDAT', 'IEND'].includes(type)) brokenImage(`its ${type} chunk is not known`);
      if (type !== 'PLTE' || header![9] === PALETTE) parts.push(file.subarray(at, end));
    }
    if (type === 'IEND') break;
    at = end;
  }
  if (!data) brokenImage('it has no image data');
  const [width, height] = [header!.readUInt32BE(0), header!.readUInt32BE(4)];
  const [depth, type] = [header![8]!, header![9]!];
  if (width === 0 || height === 0) brokenImage('its width or height is 0');
  if (!DEPTHS[type]?.includes(depth)) brokenImage(`no PNG has colour type ${type} with ${depth} bits`);
  return {
    format: 'png',
    width,
    height,
    // Fewer bits are spread over 8, and a palette holds 8 bits a channel.
    bitsPerChannel: depth === 16 ? 16 : 8,
    colour: GREY_TYPES.includes(type) ? 'grey' : 'rgb',
    alpha: transparent || ALPHA_TYPES.includes(type),
    animated,
    orientation,
    pixelParts: parts,
  };
}
