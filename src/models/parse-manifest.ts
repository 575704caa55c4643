import { DomainError, type Fault } from '../errors.ts';
import { MAX_KERNEL_ELEMENTS } from '../random/limits.ts';
import { compileSchema, describeFaults } from '../schema-faults.ts';
import { conversionOf } from './formats/foreign.ts';
import { inputElements, type Manifest, type StatedManifest } from './manifest.ts';
import { ManifestSchema } from './manifest-schema.ts';

const validator = compileSchema(ManifestSchema);

/**
 * Reads a manifest.
 *
 * @throws DomainError `model_invalid` with every fault: JSON, unknown or missing fields, values, and rules between fields
 */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DomainError('model_invalid', 'manifest.json is not JSON', [], { cause });
  }
  if (!validator.Check(value)) {
    throw new DomainError('model_invalid', undefined, describeFaults(validator.Errors(value)));
  }
  const faults = crossFieldFaults(value);
  if (faults.length > 0) throw new DomainError('model_invalid', undefined, faults);
  const { classes, labels = Array.from({ length: classes }, (_, index) => String(index)) } = value.output;
  return { ...value, output: { ...value.output, labels } };
}

function crossFieldFaults(manifest: StatedManifest): Fault[] {
  const { engine, files, input, output, preprocess, signature } = manifest;
  const faults: Fault[] = [];
  const fault = (pointer: string, detail: string): void => void faults.push({ pointer, detail });
  if ((input.channels === 1) !== (input.colourSpace === 'grey')) {
    fault('/input/colourSpace', 'grey has 1 channel; rgb and bgr have 3');
  }
  const { range } = input;
  if (range !== undefined && range[0] === range[1]) {
    fault('/input/range', 'black and white are the same value');
  }
  if (range !== undefined && preprocess !== undefined) {
    fault('/input/range', 'preprocess says what pixels become too; leave one of them out');
  }
  const other = conversionOf(files[0]!.path);
  if (other !== null) fault('/files/0/path', other);
  else if (engine === 'tensorflow' && !/(^|\/)(model\.json|saved_model\.pb)$/.test(files[0]!.path)) {
    fault('/files/0/path', "a TensorFlow model's first file is model.json or saved_model.pb");
  }
  if (signature !== undefined && !files[0]!.path.endsWith('saved_model.pb')) {
    fault('/signature', 'only a SavedModel has signatures');
  }
  if (inputElements(manifest) > MAX_KERNEL_ELEMENTS) {
    fault(
      '/input',
      `height x width x channels is ${inputElements(manifest)}; at most ${MAX_KERNEL_ELEMENTS}`,
    );
  }
  if ((output.kind ?? 'scores') !== 'scores' && output.classes !== 2) {
    fault('/output/classes', `one ${output.kind} decides between 2 classes, not ${output.classes}`);
  }
  if (output.labels !== undefined && output.labels.length !== output.classes) {
    fault('/output/labels', `${output.labels.length} labels for ${output.classes} classes`);
  }
  for (const name of ['mean', 'std'] as const) {
    const values = preprocess?.[name];
    if (values !== undefined && values.length !== input.channels) {
      fault(`/preprocess/${name}`, `${values.length} values for ${input.channels} channels`);
    }
  }
  for (const [index, { path }] of files.entries()) {
    if (path.split('/').some((part) => part === '..' || part === '.' || part === '')) {
      fault(`/files/${index}/path`, 'the path must stay inside the model folder');
    }
  }
  return faults;
}
