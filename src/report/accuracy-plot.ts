import type { AccuracyStep } from '../smoothing/evaluation.ts';
import { html, type Html } from './html.ts';
import { type Axis, niceAxis } from './ticks.ts';

const WIDTH = 760;
const HEIGHT = 330;
/** Room for the axes' numbers and names. */
const LEFT = 62;
const RIGHT = 20;
const TOP = 18;
const BOTTOM = 52;

/** Where things of the plot are, in units of its view box. */
export interface PlotGeometry {
  readonly x: (radius: number) => number;
  readonly y: (share: number) => number;
  readonly axis: Axis;
  /** The step curve, from radius 0 down to share 0. */
  readonly curve: string;
  /** The same, closed along the axes. */
  readonly area: string;
}

const at = (value: number): string => value.toFixed(2);

/**
 * Lays the plot out. The curve is level up to and including each step's radius and drops there, since certified accuracy
 * at r counts R >= r.
 *
 * @param ceiling the largest radius that could have been certified; the axis reaches beyond it
 */
export function plotGeometry(steps: readonly AccuracyStep[], ceiling: number): PlotGeometry {
  const axis = niceAxis(Math.max(ceiling, steps.at(-1)?.radius ?? 0) * 1.02, 8);
  const x = (radius: number): number => LEFT + (radius / axis.end) * (WIDTH - LEFT - RIGHT);
  const y = (share: number): number => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  let curve = `M${at(x(0))} ${at(y(steps[0]?.certifiedAccuracy ?? 0))}`;
  for (const [index, { radius }] of steps.entries()) {
    curve += `H${at(x(radius))}V${at(y(steps[index + 1]?.certifiedAccuracy ?? 0))}`;
  }
  curve += `H${at(x(axis.end))}`;
  return { x, y, axis, curve, area: `${curve}V${at(y(0))}H${at(x(0))}Z` };
}

/** Certified accuracy against the radius as inline SVG, coloured by the page's style. */
export function accuracyPlot(steps: readonly AccuracyStep[], ceiling: number): Html {
  const { x, y, axis, curve, area } = plotGeometry(steps, ceiling);
  const bottom = at(y(0));
  const middle = at((LEFT + WIDTH - RIGHT) / 2);
  const best = steps[0]?.certifiedAccuracy ?? 0;
  const title = `Certified accuracy against L2 radius: ${Math.round(best * 100)}% at 0, falling to 0 above ${(steps.at(-1)?.radius ?? 0).toFixed(2)}`;
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
    ${[0, 0.25, 0.5, 0.75, 1].map(
      (share) =>
        html`<line
            class="grid"
            x1="${LEFT}"
            x2="${WIDTH - RIGHT}"
            y1="${at(y(share))}"
            y2="${at(y(share))}"
          />
          <text class="tick end" x="${LEFT - 10}" y="${at(y(share) + 4)}">${share * 100}%</text>`,
    )}
    ${axis.ticks.map(
      (tick) =>
        html`<line class="mark" x1="${at(x(tick))}" x2="${at(x(tick))}" y1="${bottom}" y2="${at(y(0) + 5)}" />
          <text class="tick" x="${at(x(tick))}" y="${at(y(0) + 20)}">${tick.toFixed(axis.digits)}</text>`,
    )}
    <path class="area" d="${area}" />
    <line class="ceiling" x1="${at(x(ceiling))}" x2="${at(x(ceiling))}" y1="${TOP}" y2="${bottom}" />
    <path class="curve" d="${curve}" />
    <line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}" />
    <text class="name" x="${middle}" y="${HEIGHT - 8}">L2 radius r, in pixel units of the [0,1] image</text>
    <text class="name" transform="translate(15 ${at((TOP + HEIGHT - BOTTOM) / 2)}) rotate(-90)">
      certified accuracy at r
    </text>
    <text class="note end" x="${at(x(ceiling) - 8)}" y="${at(TOP + 15)}">the most that n and α allow</text>
  </svg>`;
}
