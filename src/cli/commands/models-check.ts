import type { Command } from 'commander';
import { DomainError } from '../../errors.ts';
import { createLogger } from '../../logger.ts';
import type { EngineName } from '../../models/manifest.ts';
import { openModelStore, type RegisteredModel } from '../../models/store.ts';
import { formatPercentDown } from '../../report/format.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import type { ImageFile } from '../image-files.ts';
import { readLabelledFolder } from '../labelled-folder.ts';
import { readSettings } from '../settings.ts';
import type { Trial } from '../starters.ts';
import { writeLine } from '../terminal.ts';
import { measureAccuracy, triedText } from '../try-model.ts';

interface CheckOptions {
  readonly images?: string;
  readonly models?: string;
}

/** `smoothcert models check`: opens and tries models as a worker would, and says what it would refuse. */
export function addModelsCheckCommand(models: Command, context: CommandContext): void {
  models
    .command('check')
    .summary('open and try models as a worker does')
    .argument('[name]', 'of a model; all without it')
    .option('--images <dir>', 'labelled images of the model, to see its accuracy')
    .option('--models <dir>', 'folder of the models (SMOOTHCERT_MODELS_DIR)')
    .addHelpText('after', '\nExample:\n  $ smoothcert models check mnist-cnn --images examples/mnist')
    .action((name: string | undefined, options: CheckOptions) => check(name, options, context));
}

async function check(
  name: string | undefined,
  options: CheckOptions,
  { starters, terminal, end }: CommandContext,
): Promise<void> {
  const config = readSettings(options.models === undefined ? {} : { models: options.models });
  const store = await openModelStore(config.modelsDirectory, name === undefined ? null : [name]);
  const files = options.images === undefined ? [] : await readLabelledFolder('--images', options.images);
  const trials = new Map<EngineName, Trial>();
  const trialOf = async (engine: EngineName): Promise<Trial> => {
    const known = trials.get(engine);
    if (known !== undefined) return known;
    const trial = await starters.startTrial(config, engine, createLogger('silent', 'smoothcert'));
    trials.set(engine, trial);
    return trial;
  };
  let refused = store.rejected.length;
  try {
    for (const { folder, error } of store.rejected)
      writeLine(terminal.stdout, `${folder}: refused: ${error.message}`);
    for (const model of store.models) {
      const lines = await tried(await trialOf(model.manifest.engine), model, files).catch(
        (error: unknown) => {
          if (!(error instanceof DomainError)) throw error;
          refused += 1;
          return [`refused: ${error.message}`];
        },
      );
      for (const line of lines) writeLine(terminal.stdout, `${model.manifest.name}: ${line}`);
    }
  } finally {
    await Promise.all([...trials.values()].map((trial) => trial.close()));
  }
  end(refused === 0 && store.models.length > 0 ? EXIT.ok : EXIT.failed);
}

async function tried(trial: Trial, model: RegisteredModel, files: readonly ImageFile[]): Promise<string[]> {
  const lines = triedText(await trial.load(model));
  if (files.length === 0) return lines;
  const { images, clean, noisy } = await measureAccuracy(trial, model, files);
  lines.push(`accuracy on ${images} images, nearly without noise: ${formatPercentDown(clean)}`);
  const { trainedSigma } = model.manifest.smoothing;
  if (noisy !== null) lines.push(`under noise of sigma ${trainedSigma}: ${formatPercentDown(noisy)}`);
  return lines;
}
