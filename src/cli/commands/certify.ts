import { stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { JobBody } from '../../contract/request.ts';
import type { Kind, ResultOf } from '../../contract/kinds.ts';
import type { Model } from '../../contract/resources.ts';
import { DomainError } from '../../errors.ts';
import { renderReport } from '../../report/report.ts';
import { accuracyLines, summarise, summaryLine } from '../../report/summary.ts';
import { assembleReport } from '../assemble-report.ts';
import { checkLocally } from '../check-locally.ts';
import { chooseModel, chooseSigma } from '../choose-model.ts';
import { createClient } from '../client.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { type ImageFile, imageInputs, readImages } from '../image-files.ts';
import { interruptible } from '../interrupt.ts';
import {
  addJobOptions,
  type JobOptions,
  nameOptions,
  readParameters,
  readReproduction,
  readServer,
} from '../job-options.ts';
import { startLocalService } from '../local-service.ts';
import { createProgress } from '../progress.ts';
import { redrawCommand } from '../redraw-command.ts';
import { certificationTable, predictionTable, reproductionTable } from '../result-table.ts';
import { type FinishedJob, runJob } from '../run-job.ts';
import { type Terminal, writeLine } from '../terminal.ts';
import { usageError } from '../usage-error.ts';

/** A job that has ended, and what it was made from. */
interface Conclusion<K extends Kind> {
  readonly finished: FinishedJob<K>;
  readonly model: Model;
  readonly files: readonly ImageFile[];
  readonly images: readonly string[];
  readonly options: JobOptions;
  readonly terminal: Terminal;
}

/** What is printed of each kind of job: a table of its results, and what follows from all of them. */
const SHOWN: {
  readonly [K in Kind]: {
    table(results: readonly ResultOf[K][], model: Model, n: number): string;
    conclude(conclusion: Conclusion<K>): Promise<void>;
  };
} = {
  certification: { table: certificationTable, conclude: concludeCertification },
  prediction: { table: predictionTable, conclude: async () => undefined },
};

/** `smoothcert certify` and `smoothcert predict`: jobs over images, on a running service or on one of their own. */
export function addCertifyCommands(program: Command, context: CommandContext): void {
  addJobOptions(program.command('certify'))
    .summary('certify images: predictions with certified L2 radii')
    .description(
      'Certifies images: a class and the L2 radius within which no attack changes it, or an abstention.',
    )
    .option('--n0 <samples>', 'samples that select the class, disjoint from the n')
    .option('--report <file>', 'write a report as one HTML page')
    .option('--bound <form>', 'pA, or pA-pB for the two-sided form of Theorem 1')
    .addHelpText(
      'after',
      '\nExamples:\n  $ smoothcert certify --model mnist-cnn examples/mnist/00000.png\n' +
        '  $ smoothcert certify --model mnist-cnn --labels examples/mnist/labels.json examples/mnist/*.png --json\n' +
        '  $ smoothcert certify --server http://127.0.0.1:8080 --model mnist-cnn --n 10000 image.png',
    )
    .action((images: string[], options: JobOptions) => run('certification', images, options, context));

  addJobOptions(program.command('predict'))
    .summary('predict images with the smoothed classifier')
    .description(
      'Predicts the class of images with the smoothed classifier, or abstains; far fewer samples than certify.',
    )
    .addHelpText('after', '\nExample:\n  $ smoothcert predict --model mnist-cnn examples/mnist/00000.png')
    .action((images: string[], options: JobOptions) => run('prediction', images, options, context));
}

async function run(
  kind: Kind,
  images: readonly string[],
  options: JobOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, end } = context;
  const asked = readParameters(kind, options);
  const reproduction = readReproduction(options);
  const server = options.server === undefined ? null : readServer(options.server);
  const files = await readImages(images, options.labels);
  if (options.report !== undefined) await checkReport(options.report, reproduction);
  const { finished, model } = await interruptible(async (signal) => {
    const own = server === null ? await checkLocally(options, asked, files) : null;
    const service =
      own === null ? null : await startLocalService(context.starters, { ...options, model: own });
    const progress = createProgress(terminal.stderr);
    try {
      signal.throwIfAborted();
      const client = createClient(server ?? service!.url);
      const model = chooseModel(await client.models(signal), options.model);
      const body: JobBody = {
        model: model.name,
        parameters: { ...asked, sigma: chooseSigma(model, asked.sigma) },
        inputs: imageInputs(files, model.output.labels),
        ...reproduction,
      };
      const onProgress = progress.update;
      return { finished: await runJob(client, kind, body, { signal, onProgress }), model };
    } catch (error) {
      const sent = files.map(({ id }) => id);
      throw error instanceof DomainError ? nameOptions(error, sent) : error;
    } finally {
      progress.stop();
      await service?.close();
    }
  });
  await show(kind, { finished, model, files, images, options, terminal });
  for (const line of notices(finished)) writeLine(terminal.stderr, line);
  end(finished.results.every(({ status }) => status === 'decided') ? EXIT.ok : EXIT.failed);
}

/** Prints the results, and what follows from all of them. */
async function show<K extends Kind>(kind: K, conclusion: Conclusion<K>): Promise<void> {
  const { finished, model, options, terminal } = conclusion;
  const { job, results } = finished;
  const { n } = job.parameters;
  const tableOf = job.reproduction === null ? SHOWN[kind].table : reproductionTable;
  writeLine(terminal.stdout, options.json ? JSON.stringify(results, null, 2) : tableOf(results, model, n));
  await SHOWN[kind].conclude(conclusion);
}

/** The job in numbers, and its report. A reproduction claims nothing, so it has neither. */
async function concludeCertification(conclusion: Conclusion<'certification'>): Promise<void> {
  const { finished, model, files, images } = conclusion;
  const { job, results } = finished;
  const { json, labels, report } = conclusion.options;
  const { stdout } = conclusion.terminal;
  if (job.reproduction !== null || results.length === 0) return;
  if (!json && results.length > 1) {
    const summary = summarise(job, results);
    writeLine(stdout, summaryLine(summary));
    for (const line of accuracyLines(summary, job, results)) writeLine(stdout, line);
  }
  if (report === undefined) return;
  const shown = files.map(({ id, bytes }) => ({ bytes, source: id }));
  const page = await assembleReport(finished, model, shown, redrawCommand(finished, images, labels));
  await writeFile(report, renderReport(page));
  if (!json) writeLine(stdout, `Report: ${report}`);
}

/** Refuses a report that could not be written, before an hour of sampling. */
async function checkReport(path: string, reproduction: Pick<JobBody, 'reproductionSeed'>): Promise<void> {
  if (reproduction.reproductionSeed !== undefined) {
    throw usageError({
      pointer: '--report',
      detail: 'is not possible with --seed: a reproduction claims nothing',
    });
  }
  const folder = await stat(dirname(resolve(path))).catch(() => null);
  if (folder?.isDirectory() !== true) {
    throw usageError({ pointer: '--report', detail: `there is no folder ${dirname(path)}` });
  }
}

/** Why the job did not end well, and each warning of its results once. */
function notices({ job, results }: FinishedJob<Kind>): string[] {
  const warnings = new Set(results.flatMap((result) => result.warnings));
  return [
    ...(job.error === null ? [] : [`smoothcert: the job ${job.status}: ${job.error.detail}`]),
    ...[...warnings].map((warning) => `warning: ${warning}`),
  ];
}
