import { type AccuracyStep, shareInterval } from '../smoothing/evaluation.ts';
import { formatRadiusDown, formatShareDown } from './format.ts';
import { html, type Html } from './html.ts';
import { type Axis, niceAxis } from './ticks.ts';

/** A size of the plot, in units of its view box; its text has the same size in both. */
export interface PlotSize {
  readonly name: 'wide' | 'narrow';
  readonly width: number;
  readonly height: number;
  /** About how many ticks the axis of radii has room for. */
  readonly ticks: number;
}

export const WIDE: PlotSize = { name: 'wide', width: 760, height: 330, ticks: 8 };
/** For screens of telephones, where the wide one's text would be too small to read. */
export const NARROW: PlotSize = { name: 'narrow', width: 330, height: 300, ticks: 4 };

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
  /** Between the bounds of the interval at every radius, closed. */
  readonly band: string;
}

const at = (value: number): string => value.toFixed(2);

/**
 * Lays the plot out. The curve is level up to and including each step's radius and drops there, since certified accuracy
 * at r counts R >= r.
 *
 * @param inputs how many inputs the shares are of
 * @param ceiling the largest radius that could have been certified; the axis reaches beyond it
 */
export function plotGeometry(
  steps: readonly AccuracyStep[],
  inputs: number,
  ceiling: number,
  { width, height, ticks }: PlotSize = WIDE,
): PlotGeometry {
  const axis = niceAxis(Math.max(ceiling, steps.at(-1)?.radius ?? 0) * 1.02, ticks);
  const x = (radius: number): number => LEFT + (radius / axis.end) * (width - LEFT - RIGHT);
  const y = (share: number): number => TOP + (1 - share) * (height - TOP - BOTTOM);
  const levels = [...steps, { radius: axis.end, certifiedAccuracy: 0, ...shareInterval(0, inputs) }];
  const stairs = (share: (step: AccuracyStep) => number): string => {
    const drops = steps.map(({ radius }, index) => `H${at(x(radius))}V${at(y(share(levels[index + 1]!)))}`);
    return `M${at(x(0))} ${at(y(share(levels[0]!)))}${drops.join('')}H${at(x(axis.end))}`;
  };
  // The lower bound is drawn backwards, so that both close to one surface.
  const back = levels.toReversed().map(({ low }, index) => {
    const from = levels[levels.length - 2 - index]?.radius ?? 0;
    return `V${at(y(low))}H${at(x(from))}`;
  });
  const curve = stairs(({ certifiedAccuracy }) => certifiedAccuracy);
  return {
    x,
    y,
    axis,
    curve,
    area: `${curve}V${at(y(0))}H${at(x(0))}Z`,
    band: `${stairs(({ high }) => high)}${back.join('')}Z`,
  };
}

/** Certified accuracy against the radius as inline SVG, coloured by the page's style. */
export function accuracyPlot(
  steps: readonly AccuracyStep[],
  inputs: number,
  ceiling: number,
  name: string,
  size: PlotSize,
): Html {
  const { width, height } = size;
  const { x, y, axis, curve, area, band } = plotGeometry(steps, inputs, ceiling, size);
  const bottom = at(y(0));
  const middle = at((LEFT + width - RIGHT) / 2);
  const best = Math.round((steps[0]?.certifiedAccuracy ?? 0) * inputs);
  const last = steps.at(-1)?.radius ?? 0;
  const title = `${name} against L2 radius: ${formatShareDown(best, inputs)} at 0, above 0 up to ${formatRadiusDown(last)}`;
  return html`<svg
    class="plot ${size.name}"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label="${title}"
  >
    ${[0, 0.25, 0.5, 0.75, 1].map(
      (share) =>
        html`<line
            class="grid"
            x1="${LEFT}"
            x2="${width - RIGHT}"
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
    <path class="band" d="${band}" />
    <line class="ceiling" x1="${at(x(ceiling))}" x2="${at(x(ceiling))}" y1="${TOP}" y2="${bottom}" />
    <path class="curve" d="${curve}" />
    <line class="axis" x1="${LEFT}" x2="${width - RIGHT}" y1="${bottom}" y2="${bottom}" />
    <text class="name" x="${middle}" y="${height - 8}">L2 radius r, in pixel units of the [0,1] image</text>
    <text class="name" transform="translate(15 ${at((TOP + height - BOTTOM) / 2)}) rotate(-90)">
      ${name} at r
    </text>
    ${size.name === 'narrow' ? null : html`<text class="note end" x="${at(x(ceiling) - 8)}" y="${at(TOP + 15)}">the most that n and α allow</text>`}
  </svg>`;
}
