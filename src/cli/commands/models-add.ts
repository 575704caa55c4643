import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { DomainError } from '../../errors.ts';
import { createLogger } from '../../logger.ts';
import { collectFiles, type FoundModel } from '../../models/draft/collect-files.ts';
import { type Draft, draftManifest } from '../../models/draft/draft-manifest.ts';
import { parseManifest } from '../../models/parse-manifest.ts';
import { openModelStore, type RegisteredModel } from '../../models/store.ts';
import { verifyModel } from '../../models/verify.ts';
import { formatPercentDown } from '../../report/format.ts';
import type { CommandContext } from '../command-context.ts';
import type { ImageFile } from '../image-files.ts';
import { readLabelledFolder } from '../labelled-folder.ts';
import { inOptions, optionFault } from '../manifest-options.ts';
import { addAnswerOptions, type AnswerOptions, readAnswers } from '../model-answers.ts';
import { readSettings } from '../settings.ts';
import type { Trial } from '../starters.ts';
import { writeLine } from '../terminal.ts';
import { measureAccuracy, triedText, tryScales } from '../try-model.ts';
import { usageError } from '../usage-error.ts';

interface AddOptions extends AnswerOptions {
  readonly images?: string;
  readonly models?: string;
}

/** Below this lead the images do not tell which scale is right. */
const LEAD = 0.1;

/** `smoothcert models add`: a model file or folder becomes a model of the service, opened and tried before it counts. */
export function addModelsAddCommand(models: Command, context: CommandContext): void {
  addAnswerOptions(models.command('add'))
    .summary('register a model: its manifest is written from its file, and it is opened and tried')
    .argument('<file or folder>', 'ONNX file, TensorFlow.js model.json, or SavedModel')
    .option(
      '--images <dir>',
      'labelled images, to see its accuracy: with labels.csv, or a folder for each class',
    )
    .option('--models <dir>', 'folder of the models (SMOOTHCERT_MODELS_DIR)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ smoothcert models add net.onnx --models ./models --sigma 0.5 --images digits\n' +
        '  $ smoothcert models add saved_model --name flowers --labels names.txt --scale -1,1',
    )
    .action((source: string, options: AddOptions) =>
      // Whoever adds a model has written no manifest.
      add(source, options, context).catch((error: unknown) => {
        throw reworded(error, inOptions);
      }),
    );
}

async function add(
  source: string,
  options: AddOptions,
  { starters, terminal }: CommandContext,
): Promise<void> {
  const say = (line: string): void => writeLine(terminal.stdout, line);
  const answers = await readAnswers(source, options);
  const config = readSettings(options.models === undefined ? {} : { models: options.models });
  const folder = join(config.modelsDirectory, answers.name);
  if ((await stat(folder).catch(() => null)) !== null) {
    throw usageError({ pointer: '--name', detail: `${folder} is there already` });
  }
  const found = await collectFiles(source, answers.signature);
  const files = options.images === undefined ? [] : await readLabelledFolder('--images', options.images);
  const draft = draftManifest(found, answers);
  requireManifest(draft);
  for (const note of draft.notes) say(note);
  await mkdir(config.modelsDirectory, { recursive: true });
  // Beside the other models, so that it can be renamed; a service that starts meanwhile does not read it.
  const work = await mkdtemp(join(config.modelsDirectory, '.adding-'));
  const trial = await starters.startTrial(
    config,
    found.signature.engine,
    createLogger('silent', 'smoothcert'),
  );
  try {
    let model = await write(join(work, answers.name), found, draft.manifest);
    await verifyModel(model);
    for (const line of triedText(await trial.load(model))) say(line);
    const stated = answers.range !== undefined || answers.mean !== undefined || answers.bgr !== undefined;
    if (files.length > 0) {
      if (!stated) model = await fitScale(trial, model, files, found, draft, say);
      const { images, clean, noisy } = await measureAccuracy(trial, model, files);
      say(`accuracy on ${images} images, nearly without noise: ${formatPercentDown(clean)}`);
      if (noisy !== null) say(`under noise of sigma ${answers.sigma}: ${formatPercentDown(noisy)}`);
    } else if (!stated) {
      say('pixels are given as 0 to 1; whether it was trained so, labelled images show (--images)');
    }
    await rename(model.folder, folder);
    say(
      `${answers.name} is in ${folder}; try: ` +
        `smoothcert certify IMAGE --model ${answers.name} --models ${config.modelsDirectory}`,
    );
  } catch (error) {
    throw reworded(error, (message) => message.replaceAll(`${join(work, answers.name)}/`, ''));
  } finally {
    await trial.close();
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Refuses values that no manifest may have, before anything is written or started.
 *
 * @throws DomainError `validation_failed`
 */
function requireManifest({ manifest }: Draft): void {
  try {
    parseManifest(JSON.stringify(manifest));
  } catch (error) {
    if (!(error instanceof DomainError) || error.faults.length === 0) throw error;
    throw usageError(
      ...error.faults.map((fault) => {
        const file = /^\/files\/(\d+)/.exec(fault.pointer)?.[1];
        return file === undefined
          ? optionFault(fault)
          : { ...fault, pointer: manifest.files[Number(file)]!.path };
      }),
    );
  }
}

function reworded(error: unknown, words: (message: string) => string): unknown {
  if (!(error instanceof DomainError)) return error;
  return new DomainError(error.code, words(error.message), error.faults, { cause: error });
}

/** Takes the scale that fits the images, and says so; where they do not tell, the one of [0,1] pixels stays. */
async function fitScale(
  trial: Trial,
  model: RegisteredModel,
  files: readonly ImageFile[],
  found: FoundModel,
  draft: Draft,
  say: (line: string) => void,
): Promise<RegisteredModel> {
  const tried = await tryScales(trial, model, files);
  say('accuracy nearly without noise, by what it is given for an image:');
  for (const { option, clean } of tried) say(`  ${formatPercentDown(clean).padStart(6)}  ${option}`);
  const [best, second] = tried;
  if (best!.clean - second!.clean < LEAD) {
    const alike = tried.filter(({ clean }) => best!.clean - clean < LEAD).map(({ option }) => option);
    if (
      alike.includes(
        tried.find(
          ({ input, preprocess }) =>
            preprocess === undefined && input.range === undefined && input.colourSpace !== 'bgr',
        )!.option,
      )
    ) {
      // prettier-ignore
      say('pixels from 0 to 1 fit; others fit as well, so say what it was trained with');
      return model;
    }
    throw usageError({
      pointer: '--scale',
      detail: `these fit alike: ${alike.join('; ')}: say what it was trained with`,
    });
  }
  say(`taken: ${best!.option}`);
  const { range: _, ...input } = draft.manifest.input;
  const manifest = {
    ...draft.manifest,
    input: { ...input, ...best!.input },
    ...(best!.preprocess === undefined ? {} : { preprocess: best!.preprocess }),
  };
  const fitted = await write(model.folder, found, manifest);
  await trial.load(fitted);
  return fitted;
}

async function write(
  folder: string,
  { files }: FoundModel,
  manifest: Draft['manifest'],
): Promise<RegisteredModel> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const store = await openModelStore(dirname(folder));
  const model = store.find(manifest.name);
  if (model !== undefined) return model;
  throw store.rejected[0]?.error ?? new DomainError('model_invalid', `${folder} holds no model`);
}
