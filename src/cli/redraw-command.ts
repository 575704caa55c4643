import type { FinishedJob } from './run-job.ts';

/** The command that draws a job's votes again, as it is typed in a POSIX shell. */
export function redrawCommand(
  { job, results }: FinishedJob<'certification'>,
  images: readonly string[],
  labels: string | undefined,
): string {
  const { sigma, n0, n, alpha, bound } = job.parameters;
  const seed = results.find(({ certificate }) => certificate !== null)?.certificate?.noise.seed;
  const words = [
    'smoothcert',
    'certify',
    '--model',
    job.model.name,
    ...`--sigma ${sigma} --n0 ${n0} --n ${n} --alpha ${alpha}`.split(' '),
    ...(bound === 'pA' ? [] : ['--bound', bound]),
    ...(labels === undefined ? [] : ['--labels', labels]),
    ...(seed === undefined ? [] : ['--seed', seed]),
    ...images,
  ];
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
