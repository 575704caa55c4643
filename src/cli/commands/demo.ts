import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { CERTIFY_DEFAULTS } from '../../smoothing/procedures/certify.ts';
import type { CommandContext } from '../command-context.ts';
import { certifyExamples } from '../demo/certify-examples.ts';
import { EXAMPLE_MODELS, readExamples } from '../demo/examples.ts';
import { accuracyLines, summaryLine } from '../../report/summary.ts';
import { EXIT } from '../exit-code.ts';
import { interruptible } from '../interrupt.ts';
import { readParameters } from '../job-options.ts';
import { startLocalService } from '../local-service.ts';
import { renderReport } from '../../report/report.ts';
import { certificationTable } from '../result-table.ts';
import { writeLine } from '../terminal.ts';

interface DemoOptions {
  readonly model: string;
  readonly n?: string;
  readonly port?: string;
  readonly lanes?: string;
  readonly output: string;
}

/** `smoothcert demo`: certifies real images over HTTP from nothing, and writes a report of it. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .summary('certify example images and write a report')
    .description('Starts everything, certifies real test images over HTTP, writes a report, and stops.')
    .option('--model <name>', 'mnist-cnn, fashion-mnist-cnn or fashion-mnist-tensorflow', 'mnist-cnn')
    .option('--n <samples>', `noisy samples of each image; ${CERTIFY_DEFAULTS.n} without it`)
    .option('--port <port>', 'port of the service, a free one without it')
    .option('--lanes <count>', 'lanes of the CPU device, one a core without it')
    .option('--output <dir>', 'folder of the report', 'demo-output')
    .addHelpText(
      'after',
      '\nExamples:\n  $ smoothcert demo\n  $ smoothcert demo --model fashion-mnist-cnn --n 10000 --output /tmp/report',
    )
    .action((options: DemoOptions) => run(options, context));
}

async function run(options: DemoOptions, { starters, terminal, end }: CommandContext): Promise<void> {
  const asked = readParameters('certification', options.n === undefined ? {} : { n: options.n });
  const examples = await readExamples(options.model);
  const report = await interruptible(async (signal) => {
    writeLine(terminal.stderr, 'Starting Redis, a worker and the HTTP API …');
    const service = await startLocalService(starters, { ...options, models: EXAMPLE_MODELS });
    try {
      signal.throwIfAborted();
      return await certifyExamples(service.url, examples, asked, { output: terminal.stderr, signal });
    } finally {
      await service.close();
    }
  });
  const { job, summary, model, results } = report;
  const directory = resolve(options.output);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'report.html'), renderReport(report));
  const record = { certification: job, summary, results };
  await writeFile(join(directory, 'results.json'), `${JSON.stringify(record, null, 2)}\n`);
  writeLine(terminal.stdout, certificationTable(results, model, job.parameters.n));
  writeLine(terminal.stdout, summaryLine(summary));
  for (const line of accuracyLines(summary, job, results)) writeLine(terminal.stdout, line);
  writeLine(terminal.stdout, `Report: ${join(directory, 'report.html')}`);
  end(summary.failed === 0 ? EXIT.ok : EXIT.failed);
}
