import { describe, expect, it } from 'vitest';
import { type Client, ServiceUnavailableError } from '../../../src/cli/client.ts';
import { InterruptedError } from '../../../src/cli/interrupt.ts';
import { runJob } from '../../../src/cli/run-job.ts';
import type { Certification } from '../../../src/contract/resources.ts';
import { DomainError } from '../../../src/errors.ts';
import { aJob, aResult } from '../../support/certification-samples.ts';

const BODY = { model: 'digits', parameters: { sigma: 0.5 }, inputs: [] };

/** A client of a service that answers the polls one after another; the last answer stays. */
function scripted(polls: readonly (Certification['status'] | Error)[]): Client & { calls: string[] } {
  const calls: string[] = [];
  let poll = 0;
  const service: Record<keyof Client, (...args: never[]) => unknown> = {
    models: async () => [],
    submit: async () => {
      calls.push('submit');
      return aJob({ status: 'queued' });
    },
    job: async () => {
      calls.push('job');
      const next = polls[Math.min(poll, polls.length - 1)]!;
      poll += 1;
      if (next instanceof Error) throw next;
      return aJob({ status: next });
    },
    results: async () => {
      calls.push('results');
      return [aResult()];
    },
    cancel: async () => {
      calls.push('cancel');
    },
  };
  return { ...(service as unknown as Client), calls };
}

const watching = () => {
  const statuses: string[] = [];
  return { statuses, onProgress: ({ status }: { status: string }) => void statuses.push(status) };
};

describe('runJob', () => {
  it('submits, reports until the end, and fetches the results', async () => {
    const client = scripted(['queued', 'running', 'succeeded']);
    const { statuses, onProgress } = watching();
    const { signal } = new AbortController();
    const finished = await runJob(client, 'certification', BODY, { signal, onProgress });
    expect(statuses).toEqual(['queued', 'running', 'succeeded']);
    expect(client.calls).toEqual(['submit', 'job', 'job', 'job', 'results']);
    expect(finished.results).toEqual([aResult()]);
  });

  it.each(['partially_succeeded', 'failed', 'cancelled', 'expired'] as const)(
    'a job that is %s has ended',
    async (status) => {
      const { signal } = new AbortController();
      const { onProgress } = watching();
      const { job } = await runJob(scripted([status]), 'certification', BODY, { signal, onProgress });
      expect(job.status).toBe(status);
    },
  );

  it('waits out an outage', async () => {
    const client = scripted([new ServiceUnavailableError('away'), 'succeeded']);
    const { signal } = new AbortController();
    const { onProgress } = watching();
    await expect(runJob(client, 'certification', BODY, { signal, onProgress })).resolves.toBeDefined();
  });

  it('does not wait where the service refuses', async () => {
    const client = scripted([new DomainError('resource_not_found', 'gone')]);
    const { signal } = new AbortController();
    const running = runJob(client, 'certification', BODY, { signal, onProgress: () => undefined });
    await expect(running).rejects.toThrow('gone');
    expect(client.calls).toEqual(['submit', 'job']);
  });

  it('cancels the job when it is interrupted, and waits for that', async () => {
    const controller = new AbortController();
    const client = scripted(['running', 'cancelling', 'cancelled']);
    const running = runJob(client, 'certification', BODY, {
      signal: controller.signal,
      onProgress: () => controller.abort(new InterruptedError('SIGINT')),
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
    expect(client.calls).toEqual(['submit', 'job', 'cancel', 'job', 'job']);
  });

  it('is interrupted all the same where the job had ended already', async () => {
    const controller = new AbortController();
    const client = scripted(['running']);
    client.cancel = () => Promise.reject(new DomainError('already_finished'));
    const running = runJob(client, 'certification', BODY, {
      signal: controller.signal,
      onProgress: () => controller.abort(new InterruptedError('SIGINT')),
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
  });

  it('submits nothing after an interruption', async () => {
    const client = scripted(['succeeded']);
    const signal = AbortSignal.abort(new InterruptedError('SIGINT'));
    const running = runJob(client, 'certification', BODY, { signal, onProgress: () => undefined });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
    expect(client.calls).toEqual([]);
  });
});
