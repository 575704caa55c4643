import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { DomainError, messageOf } from '../../errors.ts';
import { staysInside } from '../file.ts';
import { conversionOf, foreignBytes } from '../formats/foreign.ts';
import { readOnnx } from '../formats/onnx-file.ts';
import { inspectOnnx } from '../formats/onnx.ts';
import { readTensorflowJson } from '../formats/tensorflow-json.ts';
import type { FileSignature } from './file-signature.ts';
import { onnxSignature } from './onnx-signature.ts';
import { modelJsonSignature, savedModelSignature } from './tensorflow-signature.ts';

/** A model as it lies on the disk, before it has a manifest. */
export interface FoundModel {
  /** By path in the model folder; the first is the one that the engine opens. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly signature: FileSignature;
}

/** Files of a SavedModel beside saved_model.pb. */
const SAVED_FOLDERS = ['variables', 'assets'];

/**
 * Finds the files of a model: an ONNX file with its external data, a TensorFlow.js model.json with its weights, or a
 * SavedModel.
 *
 * @param source a file, or a folder with one model in it
 * @param signatureName of a SavedModel's signature, where it is not serving_default
 * @throws DomainError `model_invalid` with what was found instead, and the way from a file of another framework
 */
export async function collectFiles(source: string, signatureName?: string): Promise<FoundModel> {
  const first = await firstFile(source);
  const foreign = conversionOf(first);
  if (foreign !== null) throw new DomainError('model_invalid', foreign);
  const root = dirname(first);
  const bytes = await read(first);
  const name = basename(first);
  const unreadable = (format: string, cause: unknown): DomainError => {
    const what = `${first} is no readable ${format}${foreignBytes(bytes)}`;
    return new DomainError('model_invalid', `${what}: ${messageOf(cause)}`, [], { cause });
  };
  if (name.endsWith('.pb')) {
    const signature = attempt(() => savedModelSignature(bytes, signatureName), (cause) => unreadable('SavedModel', cause)); // prettier-ignore
    const beside = (await Promise.all(SAVED_FOLDERS.map((folder) => filesUnder(join(root, folder))))).flat();
    return { files: await together(root, name, bytes, beside.map((path) => relative(root, path))), signature };
  }
  if (name.endsWith('.json')) {
    const model = attempt(
      () => ({ signature: modelJsonSignature(bytes, name), weights: readTensorflowJson(bytes, name).weightFiles }),
      (cause) => unreadable('LayersModel or GraphModel', cause),
    );
    // A manifest knows it by the usual name, whatever it is called where it lies.
    return { files: await together(root, 'model.json', bytes, model.weights), signature: model.signature };
  }
  const model = attempt(
    () => ({ signature: onnxSignature(bytes), weights: inspectOnnx(readOnnx(bytes)).externalFiles }),
    (cause) => unreadable('ONNX file', cause),
  );
  return { files: await together(root, name, bytes, model.weights), signature: model.signature };
}

function attempt<Result>(action: () => Result, refusal: (cause: unknown) => DomainError): Result {
  try {
    return action();
  } catch (cause) {
    throw refusal(cause);
  }
}

async function firstFile(source: string): Promise<string> {
  const found = await stat(source).catch((cause: unknown) => {
    throw new DomainError('model_invalid', `${source} is not there`, [], { cause });
  });
  if (!found.isDirectory()) return source;
  const names = (await readdir(source)).toSorted();
  for (const name of ['saved_model.pb', 'model.json']) if (names.includes(name)) return join(source, name);
  const models = names.filter((name) => name.endsWith('.onnx'));
  if (models.length === 1) return join(source, models[0]!);
  const foreign = names.find((name) => conversionOf(name) !== null);
  const detail =
    models.length > 1
      ? `has several ONNX files, ${models.join(', ')}: name the one that is meant`
      : foreign === undefined
        ? 'has no saved_model.pb, no model.json and no ONNX file'
        : `has no model that is read here; ${conversionOf(foreign)}`;
  throw new DomainError('model_invalid', `${source} ${detail}`);
}

async function together(
  root: string,
  name: string,
  bytes: Uint8Array,
  others: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map([[name, bytes]]);
  for (const other of others) {
    const path = normalize(other);
    if (!staysInside(path)) {
      throw new DomainError('model_invalid', `${join(root, name)} keeps weights in ${other}, outside its folder`);
    }
    files.set(path, await read(join(root, path)));
  }
  return files;
}

async function read(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new DomainError('model_invalid', `${path} cannot be read, and belongs to the model`, [], { cause });
  });
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted(); // prettier-ignore
}
