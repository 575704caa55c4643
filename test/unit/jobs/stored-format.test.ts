import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { isNewerRelease, storedFormat } from '../../../src/jobs/stored/format.ts';
import { coordinationFormat } from '../../../src/jobs/stored/queue-data.ts';
import { failureFormat, requestFormat } from '../../../src/jobs/stored/record.ts';
import { roundFormat, votesFormat } from '../../../src/jobs/stored/sampling.ts';
import { ENGINE, NOISE } from '../../support/worker-status.ts';

const closed = { additionalProperties: false } as const;

/** A format in its second version, in which a number of seconds became one of milliseconds. */
const format = storedFormat<{ readonly milliseconds: number }>({
  what: 'a pause',
  version: 2,
  schema: Type.Object({ milliseconds: Type.Integer({ minimum: 0 }) }, closed),
  older: [
    {
      version: 1,
      schema: Type.Object({ seconds: Type.Integer() }, closed),
      upgrade: (value) => ({ milliseconds: 1000 * (value as { seconds: number }).seconds }),
    },
  ],
});

function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('a stored value', () => {
  it('is read as it was written', () => {
    expect(format.read(format.write({ milliseconds: 5 }))).toEqual({ milliseconds: 5 });
    expect(format.unwrap(JSON.parse(JSON.stringify(format.wrap({ milliseconds: 5 }))))).toEqual({
      milliseconds: 5,
    });
  });

  it('of an older version is read as what it says', () => {
    expect(format.read('{"v":1,"value":{"seconds":3}}')).toEqual({ milliseconds: 3000 });
  });

  it('of a newer version is no value here, whatever it looks like', () => {
    const error = thrownBy(() => format.read('{"v":3,"value":{"milliseconds":5}}'));
    expect(isNewerRelease(error)).toBe(true);
    expect(error.message).toBe(
      'a pause is of version 3, of a newer release; this one knows up to 2 and leaves it alone',
    );
  });

  it.each([
    ['no JSON', 'x'],
    ['no version', '{"milliseconds":5}'],
    ['a version that never was', '{"v":0,"value":{"milliseconds":5}}'],
    ['half a version', '{"v":1.5,"value":{"milliseconds":5}}'],
    ['no object', 'null'],
    ['the fields of another version', '{"v":2,"value":{"seconds":3}}'],
    ['a field that nobody knows', '{"v":2,"value":{"milliseconds":5,"unit":"s"}}'],
    ['a value that is not allowed', '{"v":2,"value":{"milliseconds":-5}}'],
  ])('with %s is refused, and not taken for one of a newer release', (_, text) => {
    const error = thrownBy(() => format.read(text));
    expect(error.message).toMatch(/^a pause cannot be read: /);
    expect(isNewerRelease(error)).toBe(false);
  });

  it('that could not be read again is not written', () => {
    expect(() => format.write({ milliseconds: 0.5 })).toThrow('a pause cannot be read: /milliseconds');
  });
});

describe('what is stored of a job', () => {
  const request = {
    kind: 'prediction',
    model: { name: 'm', version: '1', digest: 'd'.repeat(64) },
    parameters: { sigma: 0.5, n: 100, alpha: 0.001 },
    noise: NOISE,
    seed: '0'.repeat(64),
    seedSource: 'server',
    firstIndex: 0,
  } as const;

  it('is a request of one kind, with the parameters of that kind', () => {
    expect(requestFormat.read(requestFormat.write(request))).toEqual(request);
    const mixed = { v: 1, value: { ...request, kind: 'certification' } };
    expect(() => requestFormat.unwrap(mixed)).toThrow('the request of a job cannot be read');
  });

  it('is votes that name what drew them, and are whole numbers', () => {
    const votes = {
      segments: [{ '3': 90 }],
      classes: 10,
      engine: ENGINE,
      noise: NOISE,
      device: { name: 'CPU', batchSize: 64 },
    };
    expect(votesFormat.read(votesFormat.write(votes))).toEqual(votes);
    for (const change of [
      { segments: [{ '3': 0.5 }] },
      { noise: undefined },
      { engine: 'onnx' },
      { classes: 0 },
    ])
      expect(() => votesFormat.unwrap({ v: 1, value: { ...votes, ...change } })).toThrow(
        'the votes of a chunk',
      );
  });

  it('is a round whose chunks have a size', () => {
    const round = {
      draws: [[{ purpose: 'prediction', firstSample: 0, count: 5 }]],
      runs: [[0, 1, 0]],
      chunkSamples: 5,
    };
    expect(roundFormat.unwrap({ v: 1, value: round })).toEqual(round);
    expect(() => roundFormat.unwrap({ v: 1, value: { ...round, chunkSamples: 0 } })).toThrow(
      'a round of a job',
    );
  });

  it('is a failure whose code may be one of a later release: it is told, as one of the server', () => {
    const later = '{"v":1,"value":{"code":"later_code","detail":"what it says"}}';
    expect(failureFormat.read(later)).toEqual({ code: 'internal_error', detail: 'later_code: what it says' });
  });

  it('is work in the queue that names owner and job', () => {
    expect(() => coordinationFormat.unwrap({ id: 'cert_1' })).toThrow(
      'a call of a coordinator cannot be read',
    );
  });
});
