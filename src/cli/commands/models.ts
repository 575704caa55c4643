import Table from 'cli-table3';
import type { Command } from 'commander';
import { DomainError, ERRORS } from '../../errors.ts';
import { inputShape } from '../../models/manifest.ts';
import {
  type ModelStore,
  openModelStore,
  type RegisteredModel,
  type RejectedModel,
} from '../../models/store.ts';
import { verifyModel } from '../../models/verify.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { readSettings } from '../settings.ts';
import { writeLine } from '../terminal.ts';
import { addModelsAddCommand } from './models-add.ts';
import { addModelsCheckCommand } from './models-check.ts';

/** `smoothcert models`: what the models directory holds, and what of it is refused; adding and checking stand below it. */
export function addModelsCommand(program: Command, context: CommandContext): void {
  const { terminal, end } = context;
  const models = program.command('models').enablePositionalOptions();
  addModelsAddCommand(models, context);
  addModelsCheckCommand(models, context);
  models
    .summary('list the models, or add and check one')
    .description('Lists the models, checks the digests of their files, and says which folders are refused.')
    .option('--models <dir>', 'folder of the models (SMOOTHCERT_MODELS_DIR)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ smoothcert models --models ./models')
    .action(async (options: { models?: string; json?: true }) => {
      const checked = await check(await openModelStore(readSettings(options).modelsDirectory));
      if (options.json) writeLine(terminal.stdout, JSON.stringify(asJson(checked), null, 2));
      else if (checked.models.length > 0) writeLine(terminal.stdout, modelTable(checked.models));
      for (const refused of checked.rejected) writeLine(terminal.stderr, refusal(refused));
      if (checked.models.length === 0) writeLine(terminal.stderr, 'smoothcert: there is no valid model');
      end(checked.rejected.length === 0 && checked.models.length > 0 ? EXIT.ok : EXIT.failed);
    });
}

type Checked = Pick<ModelStore, 'models' | 'rejected'>;

/** Moves the models whose files are not what their manifest says to those that are refused. */
async function check(store: ModelStore): Promise<Checked> {
  const models: RegisteredModel[] = [];
  const rejected = [...store.rejected];
  for (const model of store.models) {
    try {
      await verifyModel(model);
      models.push(model);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      rejected.push({ folder: model.folder, error });
    }
  }
  return { models, rejected };
}

function asJson({ models, rejected }: Checked): unknown {
  return {
    models: models.map(({ manifest, digest, folder }) => ({
      name: manifest.name,
      version: manifest.version,
      digest,
      engine: manifest.engine,
      inputShape: inputShape(manifest),
      layout: manifest.input.layout,
      colourSpace: manifest.input.colourSpace,
      classes: manifest.output.classes,
      trainedSigma: manifest.smoothing.trainedSigma,
      folder,
    })),
    refused: rejected.map(({ folder, error: { code, message, faults } }) => ({
      folder,
      code,
      detail: message,
      errors: faults,
    })),
  };
}

function modelTable(models: readonly RegisteredModel[]): string {
  const table = new Table({
    head: ['model', 'version', 'input', 'classes', 'sigma', 'digest'],
    style: { head: [], border: [], compact: true },
  });
  for (const { manifest, digest } of models) {
    const { input, output, smoothing } = manifest;
    const shape = `${input.height} x ${input.width} ${input.colourSpace}`;
    const sigma = smoothing.trainedSigma ?? 'none';
    table.push([manifest.name, manifest.version, shape, output.classes, sigma, digest]);
  }
  return table.toString();
}

function refusal({ folder, error: { code, message, faults } }: RejectedModel): string {
  const reasons = faults.map(({ pointer, detail }) => `\n  ${pointer}: ${detail}`);
  return `smoothcert: ${folder} is refused: ${faults.length > 0 ? ERRORS[code].title : message}${reasons.join('')}`;
}
