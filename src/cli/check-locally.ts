import { DomainError, type Fault } from '../errors.ts';
import { checkImageHeader } from '../models/inputs/image-header.ts';
import type { Manifest } from '../models/manifest.ts';
import { openModelStore } from '../models/store.ts';
import { chooseModel, chooseSigma } from './choose-model.ts';
import { type ImageFile, imageInputs } from './image-files.ts';
import type { AskedParameters } from './job-options.ts';
import { readSettings, type SettingOptions } from './settings.ts';
import { refuseFaults } from './usage-error.ts';

/**
 * Checks what can be known before a service of one's own is started: the model's name, the noise, and format and size of
 * every image.
 *
 * @returns the name of the model, the only one that the service need load
 * @throws DomainError `validation_failed` with every fault by the name of its option or image
 */
export async function checkLocally(
  options: Pick<SettingOptions, 'models'> & { readonly model?: string },
  asked: AskedParameters,
  images: readonly ImageFile[],
): Promise<string> {
  const { models } = await openModelStore(readSettings({ ...options, model: undefined }).modelsDirectory);
  const manifest = chooseModel(
    models.map((model) => model.manifest),
    options.model,
  );
  chooseSigma(manifest, asked.sigma);
  imageInputs(images, manifest.output.labels);
  refuseFaults(images.flatMap((image) => imageFaults(image, manifest)));
  return manifest.name;
}

function imageFaults({ id, bytes }: ImageFile, manifest: Manifest): Fault[] {
  try {
    checkImageHeader(bytes, manifest);
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [{ pointer: id, detail: error.message }];
  }
}
