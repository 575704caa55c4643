import { brokenImage, countParts, cutOff } from './broken-image.ts';
import { exifOrientation } from './exif-orientation.ts';
import type { ImageFile } from './image-file.ts';

// ISO/IEC 10918-1 (ITU-T T.81), annex B.

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DNL = 0xdc;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP14 = 0xee;
const APP15 = 0xef;
const COM = 0xfe;
const TEM = 0x01;
/** Huffman-coded baseline, extended and progressive; lossless, hierarchical and arithmetic ones are hardly ever met. */
const FRAMES = [0xc0, 0xc1, 0xc2];
const OTHER_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];
const COLOURS: Readonly<Record<number, ImageFile['colour']>> = { 1: 'grey', 3: 'rgb', 4: 'cmyk' };
/** Each scan of a progressive file goes over the whole image; encoders make ten or so. */
const MOST_SCANS = 100;

const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;
/** What holds no pixels: application segments but JFIF and Adobe, which say how colours are stored, and comments. */
const isMetadata = (marker: number): boolean =>
  marker === COM || (marker > APP0 && marker <= APP15 && marker !== APP14);

/** @throws DomainError `input_undecodable` */
export function readJpeg(file: Buffer): ImageFile {
  const count = countParts('segments');
  const parts: Buffer[] = [file.subarray(0, 2)];
  let frame: Buffer | null = null;
  let scans = 0;
  let orientation = 1;
  for (let at = 2; ; ) {
    count();
    if (at + 2 > file.length) cutOff();
    if (file[at] !== 0xff) brokenImage(`no JPEG segment begins at byte ${at}`);
    const marker = file[at + 1]!;
    if (marker === 0xff) {
      // Fill bytes before a marker (B.1.1.2).
      at = skipFill(file, at);
      continue;
    }
    if (marker === EOI) {
      parts.push(file.subarray(at, at + 2));
      break;
    }
    if (marker === SOI || marker === TEM || marker === 0 || isRestart(marker))
      brokenImage(`a JPEG marker stands out of place at byte ${at}`);
    if (at + 4 > file.length) cutOff();
    const length = file.readUInt16BE(at + 2);
    if (length < 2) brokenImage(`the JPEG segment at byte ${at} is not valid`);
    let end = at + 2 + length;
    if (end > file.length) cutOff();
    const content = file.subarray(at + 4, end);
    if (OTHER_FRAMES.includes(marker)) brokenImage('lossless, hierarchical and arithmetic JPEG is not read');
    if (FRAMES.includes(marker)) {
      if (frame !== null || content.length < 6) brokenImage('its frame header is not valid');
      frame = content;
    } else if (marker === DNL) brokenImage('it tells its height after its pixels');
    else if (marker === APP1 && content.toString('latin1', 0, 6) === 'Exif\0\0') {
      orientation = exifOrientation(content);
    } else if (marker === SOS) {
      scans += 1;
      if (frame === null) brokenImage('its pixels come before their header');
      if (scans > MOST_SCANS) brokenImage(`it has more than ${MOST_SCANS} scans`);
      end = endOfScan(file, end);
    }
    if (!isMetadata(marker)) parts.push(file.subarray(at, end));
    at = end;
  }
  if (frame === null || scans === 0) brokenImage('it has no image data');
  const colour = COLOURS[frame[5]!];
  const [height, width] = [frame.readUInt16BE(1), frame.readUInt16BE(3)];
  if (colour === undefined) brokenImage(`it has ${frame[5]} channels`);
  if (width === 0 || height === 0) brokenImage('its width or height is 0');
  const bitsPerChannel = frame[0]!;
  return {
    format: 'jpeg',
    width,
    height,
    bitsPerChannel,
    colour,
    alpha: false,
    animated: false,
    orientation,
    pixelParts: parts,
  };
}

function skipFill(file: Buffer, from: number): number {
  let at = from;
  while (file[at + 1] === 0xff) at += 1;
  return at;
}

/** Where the marker stands that ends the coded data: any but a restart or a stuffed zero (B.1.1.5). */
function endOfScan(file: Buffer, from: number): number {
  for (let at = file.indexOf(0xff, from); at >= 0 && at + 1 < file.length; at = file.indexOf(0xff, at)) {
    const next = file[at + 1]!;
    if (next === 0xff) at += 1;
    else if (next === 0 || isRestart(next)) at += 2;
    else return at;
  }
  return cutOff();
}
