import type { CertificateOrigin } from './certificate.ts';

type Engine = CertificateOrigin['engine'];

/** One line that two engines share only if they are the same. */
export function describeEngine(engine: Engine): string {
  const { name, version, provider, precision, output, batch } = engine;
  const how = [
    precision,
    ...(output === undefined ? [] : [output]),
    ...(batch === undefined ? [] : [`${batch} rows a call`]),
  ];
  return `${name} ${version} on ${provider} (${how.join(', ')})`;
}

/** Whether two engines compute one network in one way: their votes are then of one base classifier. */
export function sameEngine(a: Engine, b: Engine): boolean {
  return describeEngine(a) === describeEngine(b);
}
