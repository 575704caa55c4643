import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Fault, messageOf } from '../errors.ts';
import type { Answers } from '../models/draft/draft-manifest.ts';
import { parseDecimal } from './number-options.ts';
import { refuseFaults } from './usage-error.ts';

/** What `models add` is given, as it was written. */
export interface AnswerOptions {
  readonly name?: string;
  readonly version?: string;
  readonly sigma?: string;
  readonly labels?: string;
  readonly mean?: string;
  readonly std?: string;
  readonly scale?: string;
  readonly input?: string;
  readonly output?: string;
  readonly outputKind?: string;
  readonly classes?: string;
  readonly layout?: string;
  readonly size?: string;
  readonly bgr?: true;
  readonly batch?: string;
  readonly signature?: string;
}

export function addAnswerOptions(command: Command): Command {
  return command
    .option('--name <name>', 'of the model; its file or folder name without it')
    .option('--version <version>', 'of the model', '1.0.0')
    .option('--sigma <sd>', 'noise s.d. that it was trained with, in pixel units of the [0,1] image')
    .option('--labels <file>', 'names of the classes, in their order: a line each, or JSON')
    .option('--scale <black,white>', 'what it takes for pixels 0 and 255; 0,1 without it')
    .option('--mean <values>', 'mean of each channel of the [0,1] image, that is taken off; with --std')
    .option('--std <values>', 'what each channel is then divided by')
    .option('--bgr', 'it takes blue first, as OpenCV reads images')
    .option('--layout <layout>', 'NCHW (planes) or NHWC (pixels), where its file leaves that open')
    .option('--size <HxWxC>', 'of an image, where its file leaves that open')
    .option('--input <name>', 'the input that is the image, where there are several')
    .option('--output <name>', 'the output with the scores, where there are several')
    .option('--output-kind <kind>', 'of one value a row: sigmoid or logit')
    .option('--classes <count>', 'where neither its file nor --labels says it')
    .option('--signature <name>', 'of a SavedModel, where it is not serving_default')
    .option('--batch <rows>', '1: each row is computed by itself');
}

const SIZE = /^(\d+)x(\d+)(?:x([13]))?$/;

/**
 * The answers on the command line.
 *
 * @param source file or folder of the model: its name where no other is given
 * @throws DomainError `validation_failed` with every fault by the name of its option
 */
export async function readAnswers(source: string, options: AnswerOptions): Promise<Answers> {
  const faults: Fault[] = [];
  const fault = (pointer: string, detail: string): undefined => void faults.push({ pointer, detail });
  const choice = <Value extends string>(
    option: string,
    given: string | undefined,
    values: readonly Value[],
  ) =>
    given === undefined || values.includes(given as Value)
      ? (given as Value | undefined)
      : fault(option, `must be ${values.join(' or ')}; got ${given}`);
  const numbers = (
    option: string,
    given: string | undefined,
    counts: readonly number[],
  ): number[] | undefined => {
    if (given === undefined) return undefined;
    const values = given.split(',').map((each) => parseDecimal(each.trim()));
    if (values.every(Number.isFinite) && counts.includes(values.length)) return values;
    return fault(option, `must be ${counts.join(' or ')} numbers, separated by commas; got ${given}`);
  };
  const name = options.name ?? nameFrom(source);
  if (!/^[a-z0-9][a-z0-9.-]{0,62}$/.test(name)) {
    fault('--name', `must be lower-case letters, digits, points and dashes; got ${JSON.stringify(name)}`);
  }
  const sigma = numbers('--sigma', options.sigma, [1])?.[0];
  const scale = numbers('--scale', options.scale, [2]);
  if (scale !== undefined && scale[0] === scale[1]) fault('--scale', 'black and white are the same value');
  const found = options.size === undefined ? null : SIZE.exec(options.size);
  if (options.size !== undefined && found === null)
    fault('--size', `must be like 28x28x1; got ${options.size}`);
  const classes = numbers('--classes', options.classes, [1])?.[0];
  const answers = {
    name,
    version: options.version ?? '1.0.0',
    sigma,
    labels: options.labels === undefined ? undefined : await readClassNames(options.labels, fault),
    mean: numbers('--mean', options.mean, [1, 3]),
    std: numbers('--std', options.std, [1, 3]),
    range: scale as [number, number] | undefined,
    input: options.input,
    output: options.output,
    outputKind: choice('--output-kind', options.outputKind, ['scores', 'sigmoid', 'logit']),
    classes,
    layout: choice('--layout', options.layout, ['NCHW', 'NHWC']),
    size:
      found === null
        ? undefined
        : {
            height: Number(found[1]),
            width: Number(found[2]),
            ...(found[3] === undefined ? {} : { channels: Number(found[3]) }),
          },
    bgr: options.bgr,
    batch: choice('--batch', options.batch, ['1']) === undefined ? undefined : (1 as const),
    signature: options.signature,
  };
  refuseFaults(faults);
  return Object.fromEntries(
    Object.entries(answers).filter(([, value]) => value !== undefined),
  ) as unknown as Answers;
}

/** A name made of that of the file, or of its folder where every such file has the same name. */
function nameFrom(source: string): string {
  const path = resolve(source);
  const file = basename(path);
  const own = /^(model\.json|saved_model\.pb|model\.onnx)$/.test(file) ? basename(dirname(path)) : file;
  return own
    .replace(/\.(onnx|json|pb)$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
}

async function readClassNames(
  path: string,
  fault: (pointer: string, detail: string) => undefined,
): Promise<string[] | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    const names = /^\s*[[{]/.test(text)
      ? Object.values(JSON.parse(text) as string[] | Record<string, string>)
      : text.split(/\r?\n/).filter((line) => line.trim() !== '');
    if (names.length >= 2 && names.every((each) => typeof each === 'string'))
      return names.map((each) => each.trim());
    return fault('--labels', `${path} must hold the names of two classes or more`);
  } catch (error) {
    return fault('--labels', `${path} cannot be read: ${messageOf(error)}`);
  }
}
