import { type Kind, KINDS, type ParametersOf } from '../contract/kinds.ts';
import { DomainError, type Fault } from '../errors.ts';
import { decodeImage } from '../models/inputs/decode-image.ts';
import { checkImageHeader } from '../models/inputs/image-header.ts';
import { checkTensorLength } from '../models/inputs/input-tensor.ts';
import { inputShape, type Manifest } from '../models/manifest.ts';
import type { ModelStore } from '../models/store.ts';
import type { Submission, SubmittedInput } from '../jobs/submit.ts';
import { type AskedParameters, MOST_JOB_SAMPLES } from '../smoothing/parameters.ts';
import type { InputBody } from '../contract/request.ts';

/** A request in either encoding, after its schema was checked. */
export interface RawSubmission {
  readonly model: string;
  readonly parameters: AskedParameters;
  readonly inputs: readonly RawInput[];
  readonly reproductionSeed?: string | undefined;
  readonly reproductionIndex?: number | undefined;
  /** Where model and parameters stand in the request: '' in JSON, '/request' in a form. */
  readonly pointer: string;
}

/** One input with its bytes, and where it stands in the request. */
export interface RawInput extends SubmittedInput {
  readonly pointers: { readonly id: string; readonly content: string; readonly label: string };
  readonly faults: readonly Fault[];
  /** Of a tensor: the shape that the request states. */
  readonly shape?: { readonly values: readonly number[]; readonly pointer: string };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function fromBase64(text: string, pointer: string, faults: Fault[]): Uint8Array {
  if (text.length % 4 !== 0 || !BASE64.test(text)) {
    faults.push({ pointer, detail: 'is not base64 (RFC 4648, with padding, without line breaks)' });
    return new Uint8Array();
  }
  return Buffer.from(text, 'base64');
}

/** Inputs of a JSON request. */
export function inputsFromJson(inputs: readonly InputBody[]): RawInput[] {
  return inputs.map(({ id, image, tensor, label }, index) => {
    const pointer = `/inputs/${index}`;
    const faults: Fault[] = [];
    if ((image === undefined) === (tensor === undefined)) {
      faults.push({ pointer, detail: 'must have exactly one of image and tensor' });
    }
    const common = { id: id ?? String(index), label: label ?? null, faults };
    const pointers = { id: `${pointer}/id`, label: `${pointer}/label` };
    if (tensor !== undefined) {
      const content = `${pointer}/tensor/data`;
      const bytes = fromBase64(tensor.data, content, faults);
      const shape = { values: tensor.shape, pointer: `${pointer}/tensor/shape` };
      return { ...common, kind: 'tensor', bytes, shape, pointers: { ...pointers, content } };
    }
    const content = `${pointer}/image`;
    const bytes = image === undefined ? new Uint8Array() : fromBase64(image, content, faults);
    return { ...common, kind: 'image', bytes, pointers: { ...pointers, content } };
  });
}

/**
 * Checks everything about a request that its schema cannot say, and reports all faults at once.
 *
 * What the structure of an image shows is a fault of the request: another format, another size, animation, a file that is
 * cut off. Damage inside compressed data shows only when they are decoded: that input is accepted and fails alone.
 *
 * @throws DomainError `validation_failed`, or `cannot_certify` where nothing else is wrong
 */
export async function toSubmission<K extends Kind>(
  kind: K,
  raw: RawSubmission,
  models: ModelStore,
): Promise<Submission<K>> {
  const read = readParameters(kind, raw);
  const faults: Fault[] = read.kind === 'refused' ? [...read.error.faults] : [];
  const parameterFaults = faults.length;
  if (read.kind === 'read') {
    const samples = raw.inputs.length * KINDS[kind].procedure.plannedSamples(read.parameters);
    if (samples > MOST_JOB_SAMPLES) {
      const detail = `asks for ${samples} samples over all inputs; a request may ask for ${MOST_JOB_SAMPLES}`;
      faults.push({ pointer: `${raw.pointer}/parameters/n`, detail });
    }
  }
  if (raw.reproductionIndex !== undefined && raw.reproductionSeed === undefined) {
    const detail = 'says where in a job that is repeated the inputs start: it needs reproductionSeed';
    faults.push({ pointer: `${raw.pointer}/reproductionIndex`, detail });
  }
  const model = models.find(raw.model);
  if (model === undefined) {
    const names = models.models.map(({ manifest }) => manifest.name).join(', ');
    const known = names === '' ? 'none is registered' : `there are: ${names}`;
    faults.push({
      pointer: `${raw.pointer}/model`,
      detail: `there is no model ${JSON.stringify(raw.model)}; ${known}`,
    });
  }
  faults.push(...(await inputFaults(raw.inputs, model?.manifest ?? null)));
  // With faults of other kinds beside it, a request that cannot certify is reported like them.
  if (read.kind === 'refused' && faults.length === parameterFaults) throw read.error;
  if (faults.length > 0 || read.kind === 'refused' || model === undefined)
    throw new DomainError('validation_failed', undefined, faults);
  return {
    kind,
    model,
    parameters: read.parameters,
    inputs: raw.inputs.map(({ id, kind: inputKind, bytes, label }) => ({
      id,
      kind: inputKind,
      bytes,
      label,
    })),
    reproduction:
      raw.reproductionSeed === undefined
        ? null
        : { seed: raw.reproductionSeed, firstIndex: raw.reproductionIndex ?? 0 },
  };
}

type ReadParameters<K extends Kind> =
  | { readonly kind: 'read'; readonly parameters: ParametersOf[K] }
  | { readonly kind: 'refused'; readonly error: DomainError };

function readParameters<K extends Kind>(
  kind: K,
  { parameters: asked, pointer }: RawSubmission,
): ReadParameters<K> {
  try {
    const parameters = KINDS[kind].procedure.parameters(asked, `${pointer}/parameters`);
    return { kind: 'read', parameters };
  } catch (error) {
    if (error instanceof DomainError) return { kind: 'refused', error };
    throw error;
  }
}

/**
 * Pixels of a request that are decoded before it is accepted, only to see whether files in colours are grey for a model
 * that takes grey. The worker finds out about the others.
 */
const DECODED_PIXELS = 4_000_000;

async function inputFaults(inputs: readonly RawInput[], manifest: Manifest | null): Promise<Fault[]> {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const budget = { pixels: DECODED_PIXELS };
  for (const input of inputs) {
    const { id, pointers, label } = input;
    faults.push(...input.faults);
    if (seen.has(id))
      faults.push({ pointer: pointers.id, detail: `${JSON.stringify(id)} already names an earlier input` });
    seen.add(id);
    if (manifest === null) continue;
    const { classes } = manifest.output;
    if (label !== null && label >= classes) {
      faults.push({ pointer: pointers.label, detail: `must be a class number below ${classes}` });
    }
    if (input.faults.length === 0) faults.push(...(await contentFaults(input, manifest, budget)));
  }
  return faults;
}

async function contentFaults(
  { kind, bytes, pointers, shape }: RawInput,
  manifest: Manifest,
  budget: { pixels: number },
): Promise<Fault[]> {
  try {
    if (kind === 'image') await imageChecks(bytes, manifest, budget);
    else {
      const expected = inputShape(manifest);
      if (shape !== undefined && shape.values.join() !== expected.join()) {
        const { layout } = manifest.input;
        const detail = `is [${shape.values.join(', ')}]; the model takes [${expected.join(', ')}] (${layout} without N)`;
        return [{ pointer: shape.pointer, detail }];
      }
      checkTensorLength(bytes, manifest);
    }
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [{ pointer: pointers.content, detail: error.message }];
  }
}

async function imageChecks(bytes: Uint8Array, manifest: Manifest, budget: { pixels: number }): Promise<void> {
  const { colour, width, height } = checkImageHeader(bytes, manifest);
  if (manifest.input.colourSpace !== 'grey' || colour === 'grey') return;
  budget.pixels -= width * height;
  if (budget.pixels < 0) return;
  await decodeImage(bytes, manifest).catch((error: unknown) => {
    if (!(error instanceof DomainError) || error.code === 'input_unsupported') throw error;
  });
}
