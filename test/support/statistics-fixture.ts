import { readFileSync } from 'node:fs';

/** Inputs are numbers, exact results decimals with about 42 digits; where they come from is inside each file. */
interface Fixtures {
  'clopper-pearson': { k: number; n: number; alpha: number; p: string; q: string };
  radius: { k: number; n: number; alpha: number; z: string };
  'normal-upper-quantile': { q: number; z: string };
  'normal-tails': { x: number; upper: string; lower: string };
  'regularized-beta': { x: number; a: number; b: number; lower: string; upper: string };
  'binomial-test': { k: number; n: number; p: string };
  'smallest-count': { n: number; alpha: number; z: number; k: number | null };
  'samples-for-radius': { radius: number; alpha: number; n: number | null };
  'samples-for-power': {
    radius: number;
    alpha: number;
    pA: number;
    power: number;
    first: number | null;
    n: number | null;
  };
}

/** The cases of one file of expected values in test/fixtures/statistics. */
export function statisticsFixture<Name extends keyof Fixtures>(name: Name): readonly Fixtures[Name][] {
  const file = new URL(`../fixtures/statistics/${name}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Fixtures[Name][] };
  return cases;
}
