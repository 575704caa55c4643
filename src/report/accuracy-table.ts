import { certifiedAccuracy, type EvaluatedInput } from '../smoothing/evaluation.ts';
import { html, type Html } from './html.ts';
import { niceAxis } from './ticks.ts';

/** The curve of certified accuracy in numbers, for those who cannot see it or want to copy it. */
export function accuracyTable(inputs: readonly EvaluatedInput[], ceiling: number): Html {
  const { ticks, digits } = niceAxis(ceiling, 8);
  const radii = ticks.filter((tick) => tick <= ceiling);
  const percent = (r: number): string => `${(100 * certifiedAccuracy(inputs, r)).toFixed(1)}%`;
  return html`<div class="scroll">
    <table class="curve-table">
      <tr>
        <th scope="row">radius r</th>
        ${radii.map((r) => html`<th scope="col">${r.toFixed(digits)}</th>`)}
      </tr>
      <tr>
        <th scope="row">certified accuracy</th>
        ${radii.map((r) => html`<td>${percent(r)}</td>`)}
      </tr>
    </table>
  </div>`;
}
