import { DomainError, type Fault } from '../errors.ts';
import { checkImageHeader } from '../inference/image-header.ts';
import { checkTensorLength } from '../inference/input-tensor.ts';
import { inputShape, type Manifest } from '../inference/manifest.ts';
import type { ModelStore, RegisteredModel } from '../inference/model-store.ts';
import type { JobKind } from '../jobs/job-record.ts';
import type { Submission, SubmittedInput } from '../jobs/job-service.ts';
import {
  type CertifyParameters,
  certifyParameters,
  type PredictParameters,
  predictParameters,
} from '../smoothing/parameters.ts';
import type { InputBody } from './schemas/request.ts';

/** A request in either encoding, after its schema was checked. */
export interface RawSubmission {
  readonly model: string;
  readonly parameters: { readonly sigma: number } & Partial<CertifyParameters>;
  readonly inputs: readonly RawInput[];
  readonly reproductionSeed?: string | undefined;
}

/** One input with its bytes, and where it stands in the request. */
export interface RawInput extends SubmittedInput {
  readonly pointer: string;
  readonly faults: readonly Fault[];
  readonly shape?: readonly number[] | undefined;
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
    const common = { id: id ?? String(index), label: label ?? null, pointer, faults };
    if (tensor !== undefined) {
      const bytes = fromBase64(tensor.data, `${pointer}/tensor/data`, faults);
      return { ...common, kind: 'tensor', bytes, shape: tensor.shape };
    }
    const bytes = image === undefined ? new Uint8Array() : fromBase64(image, `${pointer}/image`, faults);
    return { ...common, kind: 'image', bytes };
  });
}

/**
 * Checks everything about a request that its schema cannot say, and reports all faults at once.
 *
 * An image whose header shows that it does not fit the model is a fault of the request. One that cannot be read at all is
 * accepted and fails alone, so that one damaged file does not hold up the others.
 *
 * @throws DomainError `validation_failed`, or `cannot_certify` where nothing else is wrong
 */
export async function toSubmission(
  kind: JobKind,
  raw: RawSubmission,
  models: ModelStore,
): Promise<Submission> {
  const read = readParameters(kind, raw.parameters);
  const faults: Fault[] = read.kind === 'refused' ? [...read.error.faults] : [];
  const parameterFaults = faults.length;
  const model = models.find(raw.model);
  if (model === undefined) {
    const names = models.models.map(({ manifest }) => manifest.name).join(', ');
    faults.push({
      pointer: '/model',
      detail: `there is no model ${JSON.stringify(raw.model)}; there are: ${names}`,
    });
  }
  faults.push(...(await inputFaults(raw.inputs, model?.manifest ?? null)));
  // With faults of other kinds beside it, a request that cannot certify is reported like them.
  if (read.kind === 'refused' && faults.length === parameterFaults) throw read.error;
  if (faults.length > 0 || read.kind === 'refused')
    throw new DomainError('validation_failed', undefined, faults);
  return {
    kind,
    model: model as RegisteredModel,
    parameters: read.parameters,
    inputs: raw.inputs.map(({ id, kind: inputKind, bytes, label }) => ({
      id,
      kind: inputKind,
      bytes,
      label,
    })),
    reproductionSeed: raw.reproductionSeed ?? null,
  } as Submission;
}

type ReadParameters =
  | { readonly kind: 'read'; readonly parameters: CertifyParameters | PredictParameters }
  | { readonly kind: 'refused'; readonly error: DomainError };

function readParameters(kind: JobKind, asked: RawSubmission['parameters']): ReadParameters {
  try {
    const parameters = kind === 'certification' ? certifyParameters(asked) : predictParameters(asked);
    return { kind: 'read', parameters };
  } catch (error) {
    if (error instanceof DomainError) return { kind: 'refused', error };
    throw error;
  }
}

async function inputFaults(inputs: readonly RawInput[], manifest: Manifest | null): Promise<Fault[]> {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const input of inputs) {
    const { id, pointer, label } = input;
    faults.push(...input.faults);
    if (seen.has(id))
      faults.push({ pointer: `${pointer}/id`, detail: `${JSON.stringify(id)} names an earlier input` });
    seen.add(id);
    if (manifest === null) continue;
    const { classes } = manifest.output;
    if (label !== null && label >= classes) {
      faults.push({ pointer: `${pointer}/label`, detail: `must be a class number below ${classes}` });
    }
    if (input.faults.length === 0) faults.push(...(await contentFaults(input, manifest)));
  }
  return faults;
}

async function contentFaults(
  { kind, bytes, pointer, shape }: RawInput,
  manifest: Manifest,
): Promise<Fault[]> {
  try {
    if (kind === 'image') await checkImageHeader(bytes, manifest);
    else {
      const expected = inputShape(manifest);
      if (shape !== undefined && shape.join() !== expected.join()) {
        const { layout } = manifest.input;
        const detail = `is [${shape.join(', ')}]; the model takes [${expected.join(', ')}] (${layout} without N)`;
        return [{ pointer: `${pointer}/tensor/shape`, detail }];
      }
      checkTensorLength(bytes, manifest);
    }
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.code === 'input_undecodable') return [];
    return [{ pointer: `${pointer}/${kind === 'image' ? 'image' : 'tensor/data'}`, detail: error.message }];
  }
}
