import {
  certifiedCount,
  type EvaluatedInput,
  type Interval,
  shareInterval,
} from '../smoothing/evaluation.ts';
import { formatPercentDown, formatPercentUp, formatShareDown } from './format.ts';
import { html, type Html } from './html.ts';
import { niceAxis } from './ticks.ts';

/** Certified accuracy at one radius, for people. */
export interface AccuracyRow {
  /** As text, with the digits that its neighbours have. */
  readonly radius: string;
  /** Such as 95.2%, rounded down. */
  readonly accuracy: string;
  /** Such as 20 of 21. */
  readonly count: string;
  /** Such as 76.1% to 99.9%, rounded outwards. */
  readonly interval: string;
}

/** Certified accuracy at round radii up to the largest that could have been certified. */
export function accuracyRows(inputs: readonly EvaluatedInput[], ceiling: number): AccuracyRow[] {
  const { ticks, digits } = niceAxis(ceiling, 8);
  return ticks
    .filter((tick) => tick <= ceiling)
    .map((radius) => {
      const count = certifiedCount(inputs, radius);
      return {
        radius: radius.toFixed(digits),
        accuracy: formatShareDown(count, inputs.length),
        count: `${count} of ${inputs.length}`,
        interval: intervalText(shareInterval(count, inputs.length)),
      };
    });
}

function intervalText({ low, high }: Interval): string {
  return `${formatPercentDown(low)} to ${formatPercentUp(high)}`;
}

/** The curve of certified accuracy in numbers, for those who cannot see it or want to copy it. */
export function accuracyTable(inputs: readonly EvaluatedInput[], ceiling: number, name: string): Html {
  return html`<table class="curve-table">
    <thead>
      <tr>
        <th scope="col">radius r</th>
        <th scope="col">${name}</th>
        <th scope="col">95 % interval</th>
      </tr>
    </thead>
    <tbody>
      ${accuracyRows(inputs, ceiling).map(
        ({ radius, accuracy, count, interval }) =>
          html`<tr>
            <th scope="row">${radius}</th>
            <td>${accuracy} <span class="soft">(${count})</span></td>
            <td>${interval}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
