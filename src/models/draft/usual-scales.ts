import type { Manifest } from '../manifest.ts';

/** What a network may have been trained to take for an image, of which its file says nothing. */
export interface Scale {
  /** As it is said on the command line. */
  readonly option: string;
  readonly input: Pick<Manifest['input'], 'colourSpace'> & { readonly range?: [number, number] };
  readonly preprocess?: { readonly mean: number[]; readonly std: number[] };
}

/** Of the ImageNet training images, by channel R, G, B: torchvision's `transforms.Normalize` of its models. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** The same images' means in BGR, 103.939, 116.779 and 123.68 of 255, taken off pixels to 255: Caffe's, and Keras's `mode="caffe"`. */
const CAFFE = { mean: [0.407604, 0.457957, 0.485020], std: [0.00392157, 0.00392157, 0.00392157] };

/** The usual scales of images with so many channels, the product's own first. */
export function usualScales(channels: number): Scale[] {
  const colours = channels === 1 ? (['grey'] as const) : (['rgb', 'bgr'] as const);
  return colours.flatMap((colourSpace) => {
    const order = colourSpace === 'bgr' ? ' --bgr' : '';
    const normalised = colourSpace === 'grey' ? [] : [colourSpace === 'rgb' ? IMAGENET : CAFFE];
    return [
      { option: `--scale 0,1${order}`, input: { colourSpace } },
      { option: `--scale -1,1${order}`, input: { colourSpace, range: [-1, 1] as [number, number] } },
      { option: `--scale 0,255${order}`, input: { colourSpace, range: [0, 255] as [number, number] } },
      ...normalised.map(({ mean, std }) => ({
        option: `--mean ${mean.join(',')} --std ${std.join(',')}${order}`,
        input: { colourSpace },
        preprocess: { mean, std },
      })),
    ];
  });
}
