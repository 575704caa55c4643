import type { Report } from '../../report/facts.ts';
import { certifyParameters } from '../../smoothing/procedures/certify.ts';
import { assembleReport } from '../assemble-report.ts';
import { chooseModel, chooseSigma } from '../choose-model.ts';
import { createClient } from '../client.ts';
import { formatCount } from '../../report/format.ts';
import type { AskedParameters } from '../job-options.ts';
import { createProgress } from '../progress.ts';
import { redrawCommand } from '../redraw-command.ts';
import { runJob } from '../run-job.ts';
import { type Output, writeLine } from '../terminal.ts';
import { exampleInputs, type Examples } from './examples.ts';

/** Certifies the examples on a running service over HTTP, as any client would, and puts the report together. */
export async function certifyExamples(
  url: string,
  examples: Examples,
  asked: AskedParameters,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<Report> {
  const client = createClient(url);
  const model = chooseModel(await client.models(signal), examples.model);
  const parameters = certifyParameters({ ...asked, sigma: chooseSigma(model, asked.sigma) });
  const inputs = exampleInputs(examples);
  const { n, sigma, alpha } = parameters;
  const what = `${inputs.length} images, n = ${formatCount(n)}, sigma = ${sigma}, alpha = ${alpha}`;
  writeLine(output, `POST ${url}/v1/certifications: ${what}`);
  const progress = createProgress(output);
  const finished = await runJob(
    client,
    'certification',
    { model: model.name, parameters, inputs },
    { signal, onProgress: progress.update },
  ).finally(progress.stop);
  const images = examples.images.map(({ bytes, file, source }) => ({ bytes, source: source ?? file }));
  // The examples' names sort in the order in which they were sent.
  const command = redrawCommand(finished, [examples.folder], `${examples.folder}/labels.json`);
  return assembleReport(finished, model, images, command);
}
