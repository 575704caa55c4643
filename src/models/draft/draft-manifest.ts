import { createHash } from 'node:crypto';
import { DomainError, type Fault } from '../../errors.ts';
import { type DeclaredTensor, tensorText, wrongType } from '../declared-tensor.ts';
import type { Manifest } from '../manifest.ts';
import type { FoundModel } from './collect-files.ts';

/** What a model's file does not say, or says several of; each as the person answered it. */
export interface Answers {
  readonly name: string;
  readonly version: string;
  readonly sigma?: number;
  readonly labels?: readonly string[];
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** What the network takes for pixels 0 and 255. */
  readonly range?: readonly [number, number];
  readonly input?: string;
  readonly output?: string;
  readonly outputKind?: 'scores' | 'sigmoid' | 'logit';
  readonly classes?: number;
  readonly layout?: 'NCHW' | 'NHWC';
  readonly size?: { readonly height: number; readonly width: number; readonly channels?: number };
  readonly bgr?: boolean;
  readonly batch?: 1;
  readonly signature?: string;
}

/** A manifest that fits its files, and what of it was read out of them, in words. */
export interface Draft {
  readonly manifest: Record<string, unknown> & Pick<Manifest, 'name' | 'input' | 'output' | 'files'>;
  readonly notes: readonly string[];
}

/**
 * Writes the manifest of a model: all that its file says, and the answers for the rest. Nothing is guessed where the file
 * leaves two ways open.
 *
 * @throws DomainError `validation_failed` with every question that is open, by the name of the option that answers it
 */
export function draftManifest({ files, signature }: FoundModel, answers: Answers): Draft {
  const faults: Fault[] = [];
  const ask = (option: string, detail: string): void => void faults.push({ pointer: option, detail });
  const notes: string[] = [];
  const input = oneOf('--input', 'takes', signature.inputs, answers.input, ask);
  const wrongInput = input === null ? null : wrongType(input, 'input');
  if (wrongInput !== null) ask('--input', wrongInput);
  const image = input === null ? null : imageOf(input, answers, ask);
  const scores = outputOf(signature, answers, ask, notes);
  const labels = answers.labels;
  const classes = scores?.classes ?? null;
  if (labels !== undefined && classes !== null && labels.length !== classes) {
    ask('--labels', `has ${labels.length} names; the model gives ${classes} scores`);
  }
  const fixed = input?.shape?.[0] ?? null;
  if (fixed !== null && fixed === 1 && answers.batch !== 1) {
    ask(
      '--batch',
      'the file takes one row a call, which is many times slower; export it with a dynamic batch axis, or say --batch 1',
    );
  }
  if (image?.channels === 1 && answers.bgr === true) ask('--bgr', 'a grey image has no order of channels');
  for (const name of ['mean', 'std'] as const) {
    const given = answers[name];
    if (given !== undefined && image !== null && given.length !== image.channels) {
      ask(`--${name}`, `has ${given.length} values; the image has ${image.channels} channels`);
    }
  }
  if ((answers.mean === undefined) !== (answers.std === undefined)) ask('--mean', 'and --std belong together');
  if (answers.mean !== undefined && answers.range !== undefined) ask('--scale', 'and --mean say the same thing; give one');
  if (faults.length > 0 || image === null || scores === null || input === null) {
    throw new DomainError('validation_failed', 'The model file leaves something open, or is not taken as it is.', faults);
  }
  const named = signature.inputs.length > 1 || answers.input !== undefined;
  const manifest = {
    manifestVersion: 1,
    name: answers.name,
    version: answers.version,
    engine: signature.engine,
    files: [...files].map(([path, bytes]) => ({
      path,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    })),
    input: {
      height: image.height,
      width: image.width,
      channels: image.channels as 1 | 3,
      layout: image.layout,
      ...(image.flat ? { flat: true } : {}),
      colourSpace: image.channels === 1 ? ('grey' as const) : answers.bgr === true ? ('bgr' as const) : ('rgb' as const),
      ...(answers.range === undefined ? {} : { range: [...answers.range] }),
      ...(named ? { name: input.name } : {}),
    },
    ...(answers.signature === undefined ? {} : { signature: answers.signature }),
    ...(answers.mean === undefined || answers.std === undefined
      ? {}
      : { preprocess: { mean: [...answers.mean], std: [...answers.std] } }),
    output: {
      classes: scores.classes,
      ...(labels === undefined ? {} : { labels: [...labels] }),
      ...(scores.named ? { name: scores.name } : {}),
      ...(scores.kind === 'scores' ? {} : { kind: scores.kind }),
    } as Manifest['output'],
    smoothing: { trainedSigma: answers.sigma ?? null },
    ...(answers.batch === undefined ? {} : { batch: answers.batch }),
  };
  return { manifest, notes: [`${signature.format}: input ${tensorText(input)}, output ${scores.shown}`, ...notes] };
}

type Ask = (option: string, detail: string) => void;

function oneOf(option: string, verb: string, tensors: readonly DeclaredTensor[], named: string | undefined, ask: Ask): DeclaredTensor | null { // prettier-ignore
  if (named !== undefined) {
    const found = tensors.find(({ name }) => name === named) ?? tensors.find(({ alias }) => alias === named);
    if (found !== undefined) return found;
    ask(option, `there is no ${named}; there are: ${tensors.map(tensorText).join(', ')}`);
    return null;
  }
  if (tensors.length === 1) return tensors[0]!;
  ask(option, tensors.length === 0 ? `the model ${verb} none` : `the model ${verb} several: ${tensors.map(tensorText).join(', ')}`); // prettier-ignore
  return null;
}

interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly layout: 'NCHW' | 'NHWC';
  readonly flat: boolean;
}

const isColour = (each: number | null | undefined): boolean => each === 1 || each === 3;

function imageOf(input: DeclaredTensor, { layout, size }: Answers, ask: Ask): Image | null {
  const { shape } = input;
  if (shape === null || (shape.length !== 4 && shape.length !== 2)) {
    ask('--input', `${tensorText(input)} is no image: [batch, ...] of three more axes, or of one, is taken`);
    return null;
  }
  if (shape.length === 2) return flatImage(input, layout, size, ask);
  const [, second, , fourth] = shape;
  const [planes, pixels] = [isColour(second), isColour(fourth)];
  const known = layout ?? (planes === pixels ? null : planes ? 'NCHW' : 'NHWC');
  if (known === null) {
    ask('--layout', `${tensorText(input)} may be NCHW (planes) or NHWC (pixels)`);
    return null;
  }
  const [height, width, channels] = known === 'NCHW' ? [shape[2], shape[3], second] : [second, shape[2], fourth];
  const found = {
    height: height ?? size?.height ?? null,
    width: width ?? size?.width ?? null,
    channels: channels ?? size?.channels ?? null,
  };
  if (found.height === null || found.width === null || found.channels === null) {
    ask('--size', `${tensorText(input)} leaves it open; HEIGHTxWIDTHxCHANNELS, such as 224x224x3`);
    return null;
  }
  if (!isColour(found.channels)) {
    ask('--layout', `in ${known}, ${tensorText(input)} has ${found.channels} channels; 1 and 3 are taken`);
    return null;
  }
  return { height: found.height, width: found.width, channels: found.channels, layout: known, flat: false };
}

function flatImage(input: DeclaredTensor, layout: Answers['layout'], size: Answers['size'], ask: Ask): Image | null {
  const values = input.shape![1];
  if (size === undefined || size.channels === undefined) {
    ask('--size', `${tensorText(input)} takes a row of values; HEIGHTxWIDTHxCHANNELS, such as 28x28x1, says which image it is`);
    return null;
  }
  const { height, width, channels } = size;
  if (values !== null && height * width * channels !== values) {
    ask('--size', `${height} x ${width} x ${channels} is ${height * width * channels} values; the model takes ${values}`);
    return null;
  }
  if (channels > 1 && layout === undefined) {
    ask('--layout', 'of a row of values: NHWC (all channels of a pixel together) or NCHW (one channel after another)');
    return null;
  }
  return { height, width, channels, layout: layout ?? 'NHWC', flat: true };
}

interface Scores {
  readonly name: string;
  readonly named: boolean;
  readonly classes: number;
  readonly kind: 'scores' | 'sigmoid' | 'logit';
  readonly shown: string;
}

/** Activations of which one value a row is the probability of class 1. */
const SIGMOID = /^sigmoid$/i;

function outputOf({ outputs, madeBy }: FoundModel['signature'], answers: Answers, ask: Ask, notes: string[]): Scores | null { // prettier-ignore
  // Labels, and maps of them, are no scores: where one output is left, nothing is chosen.
  const mayBe = outputs.filter(({ type }) => type === undefined || type === 'float32');
  const left = answers.output === undefined && mayBe.length === 1 ? mayBe : outputs;
  if (left.length < outputs.length) notes.push(`of ${outputs.length} outputs only ${mayBe[0]!.name} holds scores`);
  if (answers.output === undefined && mayBe.length === 0 && outputs.length > 0) {
    // No option makes scores of these. Of several the one that is no tensor is what the scores were put into.
    const wrong = outputs.find(({ type }) => type === '') ?? outputs[0]!;
    ask('', wrongType(wrong, 'output')!);
    return null;
  }
  const output = oneOf('--output', 'gives', left, answers.output, ask);
  if (output === null) return null;
  const wrong = wrongType(output, 'output');
  if (wrong !== null) {
    ask('--output', wrong);
    return null;
  }
  const { shape, name } = output;
  const along = shape === null ? [] : shape.slice(1).filter((each) => each !== 1);
  const single = shape !== null && shape.length > 0 && along.length === 0;
  if (along.length > 1) {
    ask('--output', `${tensorText(output)} has more than one score axis; [batch, classes] is taken`);
    return null;
  }
  const named = outputs.length > 1 || answers.output !== undefined;
  const sigmoid = SIGMOID.test(madeBy.get(name) ?? '');
  const kind = answers.outputKind ?? (single ? (sigmoid ? 'sigmoid' : null) : 'scores');
  if (kind === null) {
    ask('--output-kind', `${tensorText(output)} is one value a row: sigmoid (class 1 above 0.5) or logit (class 1 above 0)`);
    return null;
  }
  if (kind === 'logit' && sigmoid) {
    ask('--output-kind', `${tensorText(output)} is made by a sigmoid: as a logit its values, all above 0, would all be class 1`);
    return null;
  }
  if (kind !== 'scores' && along.some((each) => each !== null)) {
    ask('--output-kind', `${tensorText(output)} is more than one value a row`);
    return null;
  }
  if (kind !== 'scores') return { name, named, classes: 2, kind, shown: tensorText(output) };
  const stated = along[0] ?? answers.labels?.length ?? answers.classes ?? null;
  if (stated === null) {
    const one = sigmoid ? ', or --output-kind sigmoid that it is one value a row' : '';
    ask('--classes', `${tensorText(output)} does not say how many there are; --labels says it too${one}`);
    return null;
  }
  if (answers.classes !== undefined && answers.classes !== stated) {
    ask('--classes', `is ${answers.classes}; the model gives ${stated} scores`);
    return null;
  }
  return { name, named, classes: stated, kind, shown: tensorText(output) };
}
