import { describe, expect, it } from 'vitest';
import { accuracyPlot, NARROW, plotGeometry, WIDE } from '../../../src/report/accuracy-plot.ts';
import { accuracyTable } from '../../../src/report/accuracy-table.ts';

/** Of four inputs; the intervals are scipy.stats.beta.ppf (SciPy 1.17.1), rounded. */
const STEPS = [
  { radius: 0.5, certifiedAccuracy: 0.75, low: 0.194, high: 0.994 },
  { radius: 1, certifiedAccuracy: 0.5, low: 0.068, high: 0.932 },
  { radius: 1.75, certifiedAccuracy: 0.25, low: 0.006, high: 0.806 },
];

/** The corners of a path of absolute M, H and V. */
function corners(path: string): [number, number][] {
  const points: [number, number][] = [];
  let [x, y] = [0, 0];
  for (const [, letter, first, second] of path.matchAll(/([MHV])([\d.]+)(?: ([\d.]+))?/g)) {
    if (letter === 'M') [x, y] = [Number(first), Number(second)];
    else if (letter === 'H') x = Number(first);
    else y = Number(first);
    points.push([x, y]);
  }
  return points;
}

describe('plotGeometry', () => {
  const { x, y, axis, curve, area, band } = plotGeometry(STEPS, 4, 1.9);

  it('has the origin at the lower left, and shares grow upwards', () => {
    expect(x(0)).toBeLessThan(x(1));
    expect(y(0)).toBeGreaterThan(y(1));
    expect(axis.end).toBe(2);
  });

  it('is level up to and including each radius, and drops there', () => {
    const expected = [
      [x(0), y(0.75)],
      [x(0.5), y(0.75)],
      [x(0.5), y(0.5)],
      [x(1), y(0.5)],
      [x(1), y(0.25)],
      [x(1.75), y(0.25)],
      [x(1.75), y(0)],
      [x(2), y(0)],
    ];
    const found = corners(curve);
    expect(found).toHaveLength(expected.length);
    for (const [index, [px, py]] of expected.entries()) {
      expect(found[index]![0]).toBeCloseTo(px!, 2);
      expect(found[index]![1]).toBeCloseTo(py!, 2);
    }
  });

  it('has an area under it that is the average certified radius', () => {
    const points = corners(curve);
    let sum = 0;
    for (let i = 1; i < points.length; i += 1) {
      const [[x0, y0], [x1, y1]] = [points[i - 1]!, points[i]!];
      sum += (x1 - x0) * (y(0) - (y0 + y1) / 2);
    }
    const unit = (x(1) - x(0)) * (y(0) - y(1));
    expect(sum / unit).toBeCloseTo(0.5 * 0.75 + 0.5 * 0.5 + 0.75 * 0.25, 3);
    expect(area.startsWith(curve)).toBe(true);
    expect(area.endsWith('Z')).toBe(true);
  });

  it('has a band between the bounds of the interval at every radius, above the last step too', () => {
    const outline = corners(band);
    const none = 0.602; // beta.ppf(0.975, 1, 4): no success in four
    const upper = [
      [0, 0.994],
      [0.5, 0.994],
      [0.5, 0.932],
      [1, 0.932],
      [1, 0.806],
      [1.75, 0.806],
      [1.75, none],
      [2, none],
    ];
    const lower = [
      [2, 0],
      [1.75, 0],
      [1.75, 0.006],
      [1, 0.006],
      [1, 0.068],
      [0.5, 0.068],
      [0.5, 0.194],
      [0, 0.194],
    ];
    expect(outline).toHaveLength(upper.length + lower.length);
    for (const [index, [r, share]] of [...upper, ...lower].entries()) {
      expect(outline[index]![0]).toBeCloseTo(x(r!), 1);
      expect(Math.abs(outline[index]![1] - y(share!))).toBeLessThan(0.2);
    }
    expect(band.endsWith('Z')).toBe(true);
  });

  it('is flat on the axis where nothing is certified', () => {
    const { curve, y, axis } = plotGeometry([], 4, 1);
    expect(axis.end).toBeGreaterThanOrEqual(1);
    expect(new Set(corners(curve).map(([, py]) => py))).toEqual(new Set([Number(y(0).toFixed(2))]));
  });

  it('keeps a radius above the ceiling on the axis', () => {
    const { axis } = plotGeometry([{ radius: 5, certifiedAccuracy: 1, low: 0.398, high: 1 }], 4, 1);
    expect(axis.end).toBeGreaterThan(5);
  });
});

describe('accuracyPlot', () => {
  const svg = accuracyPlot(STEPS, 4, 1.9, 'certified accuracy', WIDE).toString();

  it('names both axes, in the words of the method', () => {
    expect(svg).toMatch(/>\s*L2 radius r, in pixel units of the \[0,1\] image\s*</);
    expect(svg).toMatch(/>\s*certified accuracy at r\s*</);
  });

  it('has ticks on both axes', () => {
    for (const tick of ['0%', '25%', '50%', '75%', '100%', '0.00', '1.00', '2.00']) {
      expect(svg).toMatch(new RegExp(`>\\s*${tick.replace('.', '\\.')}\\s*<`));
    }
  });

  it('tells those who cannot see it what it shows', () => {
    expect(svg).toContain('role="img"');
    expect(svg).toContain(
      'aria-label="certified accuracy against L2 radius: 75.0% at 0, above 0 up to 1.7500"',
    );
  });

  it('has no number that is none', () => {
    expect(svg).not.toMatch(/NaN|Infinity|undefined|null/);
    expect(accuracyPlot([], 4, 1, 'certified accuracy', NARROW).toString()).not.toMatch(
      /NaN|Infinity|undefined|null/,
    );
  });
});

describe('accuracyTable', () => {
  it('gives the shares of all inputs at round radii up to the ceiling', () => {
    const inputs = [
      { correct: true, certifiedRadius: 0.6 },
      { correct: true, certifiedRadius: 1.3 },
      { correct: false, certifiedRadius: 1.4 },
      { correct: false, certifiedRadius: null },
    ];
    const table = accuracyTable(inputs, 1.6, 'certified accuracy').toString();
    const rows = [...table.matchAll(/<tr>([^]*?)<\/tr>/g)].map(([, row]) =>
      row!
        .replaceAll(/<[^>]*>/g, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    );
    // scipy.stats.beta.ppf of 2, 1 and 0 of 4: .06758 .93242, .00630 .80588, 0 .60237; rounded outwards
    expect(rows).toEqual([
      'radius r certified accuracy 95 % interval',
      ...['0.0', '0.2', '0.4', '0.6'].map((r) => `${r} 50.0% (2 of 4) 6.7% to 93.3%`),
      ...['0.8', '1.0', '1.2'].map((r) => `${r} 25.0% (1 of 4) 0.6% to 80.6%`),
      ...['1.4', '1.6'].map((r) => `${r} 0.0% (0 of 4) 0.0% to 60.3%`),
    ]);
  });
});
