import type { CertificationResult, Model } from '../contract/resources.ts';
import { decimalBelow } from './directed-decimal.ts';
import { formatCount, formatProbabilityDown, formatRadiusDown } from './format.ts';
import { html, type Html } from './html.ts';
import type { Pictures } from './pictures.ts';

/** One input of the report. */
export interface ReportInput {
  readonly result: CertificationResult;
  readonly pictures: Pictures;
  /** Where the image comes from, in words. */
  readonly source: string;
}

/** How an input ended, in the report's words. */
export type Verdict = 'correct' | 'wrong' | 'abstained' | 'reproduced' | 'failed';

const BADGES: Readonly<Record<Verdict, string>> = {
  correct: 'certified',
  wrong: 'certified, but wrong',
  abstained: 'abstained',
  reproduced: 'reproduced, claims nothing',
  failed: 'failed',
};

export function verdictOf({ status, outcome, reference }: CertificationResult): Verdict {
  if (status !== 'decided' || outcome === null) return 'failed';
  if (outcome !== 'certified') return outcome;
  return reference?.correct === false ? 'wrong' : 'correct';
}

/** An input with what was decided about it: pictures, classes, radius, bound and votes. */
export function inputCard({ result, pictures, source }: ReportInput, model: Model, ceiling: number): Html {
  const verdict = verdictOf(result);
  const name = (index: number): string => model.output.labels[index] ?? String(index);
  return html`<article class="card input ${verdict}">
    <div class="head">
      <strong>${heading(result)}</strong><span class="badge ${verdict}">${BADGES[verdict]}</span>
    </div>
    <div class="pictures">
      ${picture(pictures.clean, `Image ${result.inputId}`, 'image')}
      ${pictures.noisy === null ? null : picture(pictures.noisy, `${result.inputId} with noise`, 'plus noise')}
    </div>
    ${radiusBar(result, ceiling)}
    <dl>
      ${row('label', result.reference === null ? '–' : name(result.reference.label))}
      ${verdict === 'failed' ? row('reason', result.error?.detail ?? result.status) : decided(result, name)}
    </dl>
    <p class="soft small">${source}</p>
  </article>`;
}

function heading({ prediction, outcome, status }: CertificationResult): string {
  if (status !== 'decided') return 'No result';
  return outcome === 'abstained' || prediction === null ? 'No prediction' : prediction.label;
}

function picture(uri: string, text: string, caption: string): Html {
  return html`<figure>
    <img src="${uri}" alt="${text}" />
    <figcaption>${caption}</figcaption>
  </figure>`;
}

function radiusBar({ certifiedRadius }: CertificationResult, ceiling: number): Html {
  const share = Math.min(100, (100 * (certifiedRadius ?? 0)) / ceiling);
  const percent = decimalBelow(share, 1);
  return html`<div>
    <div class="head">
      <span class="soft small">certified radius</span>
      <strong>${certifiedRadius === null ? 'none' : formatRadiusDown(certifiedRadius)}</strong>
    </div>
    <div class="bar" title="${percent}% of the largest possible radius">
      <i style="width:${percent}%"></i>
    </div>
  </div>`;
}

function row(name: string | Html, value: string): Html {
  return html`<div class="row">
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}

function decided(result: CertificationResult, name: (index: number) => string): Html {
  const { certificate, pALowerBound, topCount, votes } = result;
  const selected = certificate?.selectedClass ?? null;
  const [other] = Object.entries(votes ?? {})
    .filter(([index]) => Number(index) !== selected)
    .sort(([, a], [, b]) => b - a);
  const bound = pALowerBound === null ? '–' : formatProbabilityDown(pALowerBound);
  return html`${row('selected class', selected === null ? '–' : name(selected))}
  ${row(html`p<sub>A</sub> at least`, bound)}
  ${row('votes for it', `${formatCount(topCount ?? 0)} of ${formatCount(certificate?.n ?? 0)}`)}
  ${row('runner-up', other === undefined ? 'none' : `${formatCount(other[1])} for ${name(Number(other[0]))}`)}`;
}
