import { formatCount, formatRadiusDown, formatSmallUp } from './format.ts';
import { html, type Html } from './html.ts';
import type { Certificate } from '../smoothing/certificate.ts';
import type { Certification, CertificationResult, Model } from '../contract/resources.ts';
import type { ReportInput } from './input-card.ts';
import type { Summary } from './summary.ts';

/** All that a report tells. */
export interface Report {
  readonly model: Model;
  readonly job: Certification;
  readonly summary: Summary;
  /** Of every input. */
  readonly results: readonly CertificationResult[];
  /** Those that have a card, all or the most interesting ones. */
  readonly inputs: readonly ReportInput[];
  /** A command that draws the same noise again. */
  readonly command: string;
}

/** Everything that is needed to check the report or to draw its votes again. */
export function facts({ model, job, inputs, command }: Report, ceiling: number): Html {
  const { sigma, n0, n, alpha, bound } = job.parameters;
  const certificate = inputs.find(({ result }) => result.certificate !== null)?.result.certificate ?? null;
  const rows: (readonly [string, string])[] = [
    ['model', `${model.name} ${model.version} (${model.engine})`],
    ['model digest', job.model.digest],
    ['noise', `σ = ${sigma} in pixel units of the [0,1] image, before any normalisation; not clipped`],
    ['samples', `n₀ = ${formatCount(n0)} to select the class, n = ${formatCount(n)} others to bound it`],
    ['failure probability', `α = ${alpha} for each image`],
    [
      'bound',
      bound === 'pA' ? 'one-sided Clopper-Pearson on p_A' : 'Clopper-Pearson on p_A and on the next class',
    ],
    ['largest possible radius', formatRadiusDown(ceiling)],
    ['job', job.id],
  ];
  if (certificate !== null) {
    const { noise, engine, devices, software } = certificate;
    rows.push(
      [
        'noise scheme',
        `${noise.scheme}/${noise.version}, total variation from the exact Gaussian at most ${formatSmallUp(noise.totalVariation)}`,
      ],
      ['seed', `${noise.seed} (drawn by the server after the request)`],
      [
        'engine',
        `${engine.name} ${engine.version}, ${engine.provider}${engine.output === undefined ? '' : `, ${engine.output}`}`,
      ],
      ['rows of a batch', describeRows(engine)],
      ['devices', devices.map(({ name, batchSize }) => `${name} (batches of ${batchSize})`).join(', ')],
      ['software', `${software.name} ${software.version}`],
    );
  }
  return html`<div class="card">
    <dl class="facts">
      ${rows.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
    <p class="soft small" style="margin:16px 0 0">The same noise again, for the same votes:</p>
    <pre><code>${command}</code></pre>
  </div>`;
}

/** How the rows of a batch were kept apart, in words. */
function describeRows({ rows, batch }: Certificate['engine']): string {
  if (rows === undefined) return 'not recorded';
  if (rows === 'alone') return 'each computed by itself';
  const independent = `independent, by ${rows === 'proved' ? 'the graph of the file and a probe' : 'a probe'}`;
  return batch === undefined
    ? independent
    : `${independent}; always ${batch} a call, since rounding depends on it`;
}
