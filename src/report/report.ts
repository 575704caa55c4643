import type { Certification } from '../contract/resources.ts';
import { certifiedAccuracySteps } from '../smoothing/evaluation.ts';
import { ceilingOf, shareName, type Summary, toEvaluated } from './summary.ts';
import { formatCount, formatRadiusDown, formatSeconds } from './format.ts';
import { accuracyPlot, NARROW, WIDE } from './accuracy-plot.ts';
import { accuracyTable } from './accuracy-table.ts';
import { CARD_STYLE } from './card-style.ts';
import { facts, type Report } from './facts.ts';
import { html, type Html } from './html.ts';
import { inputCard } from './input-card.ts';
import { PAGE_STYLE } from './page-style.ts';
import { PLOT_STYLE } from './plot-style.ts';

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** The report as one page that needs nothing else: no script, no network. */
export function renderReport(report: Report): string {
  const { model, job, summary, results, inputs } = report;
  const { sigma, n, alpha } = job.parameters;
  const ceiling = ceilingOf(job);
  const evaluated = toEvaluated(results);
  const share = shareName(summary);
  const steps = certifiedAccuracySteps(evaluated);
  return html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <title>Smoothcert: certified robustness of ${model.name}</title>
        ${PAGE_STYLE} ${PLOT_STYLE} ${CARD_STYLE}
      </head>
      <body>
        <main>
          <header>
            <p class="brand">Smoothcert</p>
            <h1>Certified robustness of ${model.name}</h1>
            <p class="soft">
              ${formatCount(summary.inputs)} images, ${formatCount(n)} noisy samples each, σ = ${sigma}, α =
              ${alpha}. ${finished(job, summary)}
            </p>
          </header>
          ${tiles(summary)}
          <h2>${share[0]!.toUpperCase()}${share.slice(1)}</h2>
          <div class="card">
            ${[WIDE, NARROW].map((size) => accuracyPlot(steps, evaluated.length, ceiling, share, size))}
            ${accuracyTable(evaluated, ceiling, share)}
            <p class="soft small">
              The share of all ${formatCount(summary.inputs)} images that are
              ${summary.labelled ? 'correct, not abstained,' : 'certified, rightly or wrongly (they have no labels),'}
              and have a certified radius R ≥ r. The area under the curve is the average certified radius,
              ${formatRadiusDown(summary.averageCertifiedRadius)}. The band is where the share lies, at each
              radius with 95 % confidence, for all images of the kind of which these
              ${formatCount(summary.inputs)} are a random sample (Clopper-Pearson). The dashed line is the
              largest radius that n and α allow.
            </p>
          </div>
          <h2>What a certificate says</h2>
          <p>
            The smoothed classifier answers with the class that the network finds most often under Gaussian
            noise of s.d. σ. A certificate with radius R says: no change of the image with an L2 norm below R,
            however it was made, changes that answer. The claim rests on counted votes and is wrong with a
            probability of at most α = ${alpha}, for each image and each attempt: among 1,000 certificates at
            α = 0.001 up to one wrong one is to be expected, and whoever picks the best of m attempts is wrong
            with up to m·α. It says nothing about whether the answer is right, nor about changes that are
            large in L2 yet look small.
          </p>
          <p>
            Where the votes cannot prove a majority the classifier <strong>abstains</strong>. That is an
            outcome, not an error: it counts as not correct at every radius.
          </p>
          <h2>The images</h2>
          ${inputs.length < results.length ? html`<p class="soft">${only(inputs.length, results.length)}</p>` : null}
          <div class="inputs">${inputs.map((input) => inputCard(input, model, ceiling))}</div>
          <p class="soft small" style="margin-top:12px">
            Each noisy picture is the first of the samples that were counted, drawn again from the
            certificate’s seed; what leaves the range of a screen is clipped for display only.
          </p>
          <h2>How it was made</h2>
          ${facts(report, ceiling)}
          <footer class="soft small">
            Radii, shares and lower bounds are rounded down. Method: Cohen, Rosenfeld and Kolter, “Certified
            Adversarial Robustness via Randomized Smoothing”, ICML 2019.
          </footer>
        </main>
      </body>
    </html> `.toString();
}

function only(shown: number, all: number): string {
  return `${shown} of ${formatCount(all)}: what failed, is wrong or abstains first, then the smallest radii.`;
}

function finished({ finishedAt }: Certification, { seconds, samplesPerSecond }: Summary): string {
  const when =
    finishedAt === null ? '' : `Finished on ${finishedAt.slice(0, 10)} at ${finishedAt.slice(11, 16)} UTC, `;
  return `${when}in ${formatSeconds(seconds)} at ${formatCount(samplesPerSecond)} samples a second.`;
}

function tiles({
  inputs,
  labelled,
  correct,
  wrong,
  abstained,
  failed,
  averageCertifiedRadius,
}: Summary): Html {
  const tile = (kind: string, value: string, text: string): Html =>
    html`<div class="tile ${kind}"><b>${value}</b><span class="soft small">${text}</span></div>`;
  return html`<div class="tiles">
    ${tile('', String(inputs), 'images')}
    ${tile('good', String(correct), labelled ? 'certified and correct' : 'certified')}
    ${labelled ? tile(wrong > 0 ? 'bad' : '', String(wrong), 'certified, but wrong') : null}
    ${tile(abstained > 0 ? 'warn' : '', String(abstained), 'abstained')}
    ${failed > 0 ? tile('bad', String(failed), 'failed') : null}
    ${tile('', formatRadiusDown(averageCertifiedRadius), 'average certified radius')}
  </div>`;
}
