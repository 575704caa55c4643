import type { ImageFormat } from './image-format.ts';

/** What the structure of an image file says, read without decoding anything. */
export interface ImageFile {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
  readonly bitsPerChannel: number;
  readonly colour: 'grey' | 'rgb' | 'cmyk';
  /** A channel or a colour that is transparent. */
  readonly alpha: boolean;
  readonly animated: boolean;
  /** 1 as stored, 2 to 8 where metadata ask for a rotation or a reflection. */
  readonly orientation: number;
  /**
   * The file in pieces, without what holds no pixels: metadata, profiles, comments, and whatever follows its end. Decoders
   * see nothing else: text that unpacks to gigabytes or a directory of a million tags costs nothing.
   */
  readonly pixelParts: readonly Uint8Array[];
}
