import type { Certification, CertificationResult } from '../../contract/resources.ts';
import { openModelStore } from '../../models/store.ts';
import type { Report } from '../../report/facts.ts';
import { certifyParameters } from '../../smoothing/parameters.ts';
import { chooseModel, chooseSigma } from '../choose-model.ts';
import { createClient } from '../client.ts';
import { formatCount } from '../../report/format.ts';
import type { AskedParameters } from '../job-options.ts';
import { createProgress } from '../progress.ts';
import type { ReportInput } from '../../report/input-card.ts';
import { drawPictures } from '../../report/pictures.ts';
import { type FinishedJob, runJob } from '../run-job.ts';
import { type Output, writeLine } from '../terminal.ts';
import { EXAMPLE_MODELS, exampleInputs, type Examples } from './examples.ts';
import { summarise } from '../../report/summary.ts';

/** What the demo shows in the end. */
export interface CertifiedExamples {
  readonly report: Report;
  readonly results: readonly CertificationResult[];
}

/** Certifies the examples on a running service over HTTP, as any client would, and puts the report together. */
export async function certifyExamples(
  url: string,
  examples: Examples,
  asked: AskedParameters,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<CertifiedExamples> {
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
  const { job, results } = finished;
  const summary = summarise(job, results);
  const command = redrawCommand(examples, finished);
  return {
    report: { model, job, summary, inputs: await illustrate(examples, results), command },
    results,
  };
}

async function illustrate(
  { model, images }: Examples,
  results: readonly CertificationResult[],
): Promise<ReportInput[]> {
  const manifest = (await openModelStore(EXAMPLE_MODELS)).find(model)!.manifest;
  return Promise.all(
    images.map(async ({ bytes, file, source }, index): Promise<ReportInput> => {
      const result = results[index]!;
      return { result, pictures: await drawPictures(bytes, manifest, result), source: source ?? file };
    }),
  );
}

/** The command that draws the same noise again: the examples' names sort in the order in which they were sent. */
function redrawCommand({ model, folder }: Examples, { job, results }: FinishedJob<'certification'>): string {
  const { sigma, n0, n, alpha }: Certification['parameters'] = job.parameters;
  const seed = results.find(({ certificate }) => certificate !== null)?.certificate?.noise.seed;
  const parameters = `--sigma ${sigma} --n0 ${n0} --n ${n} --alpha ${alpha}`;
  const again = seed === undefined ? '' : ` --seed ${seed}`;
  return `smoothcert certify --model ${model} ${parameters} --labels ${folder}/labels.json${again} ${folder}/*.png`;
}
