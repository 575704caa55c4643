import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { redrawCommand } from '../../../src/cli/redraw-command.ts';
import { aJob, aResult, SEED } from '../../support/certification-samples.ts';

describe('redrawCommand', () => {
  it('names every parameter and the seed, so that the same votes are drawn', () => {
    const job = aJob();
    expect(redrawCommand({ job, results: [aResult()] }, ['a.png'], 'labels.json')).toBe(
      `smoothcert certify --model digits --sigma 0.5 --n0 100 --n 10000 --alpha 0.001 --labels labels.json --seed ${SEED} a.png`,
    );
    const two = { ...job, parameters: { ...job.parameters, bound: 'pA-pB' as const } };
    expect(redrawCommand({ job: two, results: [aResult()] }, ['a.png'], undefined)).toContain(
      '--bound pA-pB',
    );
  });

  it('is read by a shell as it was meant, whatever the names of files', () => {
    const names = ["it's.png", 'two words.png', '$HOME.png', 'a;b.png', '*.png', '"q".png'];
    const command = redrawCommand({ job: aJob(), results: [] }, names, undefined);
    const script = `smoothcert() { printf '%s\\n' "$@"; }; ${command}`;
    const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
    expect(words.slice(-names.length)).toEqual(names);
  });
});
