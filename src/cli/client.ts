import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobBody } from '../contract/request.ts';
import type { Model } from '../contract/resources.ts';
import { type JobOf, type Kind, KINDS, type ResultOf } from '../contract/kinds.ts';
import { DomainError, type Fault, isErrorCode } from '../errors.ts';

const PAGE = 500;
/** A large request takes its time to send; every other answer is small. */
const SUBMIT_MILLISECONDS = 120_000;
const ANSWER_MILLISECONDS = 30_000;
/** Pauses before a submission is tried again: a restart of the queue is over within a second, one of the service within some. */
const SUBMIT_PAUSES = [500, 1_000, 2_000, 4_000];

/** The service did not answer, or answered that it cannot work right now. Trying again later may help. */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

/** A client of a running service. Every call rejects with ServiceUnavailableError or with the service's own DomainError. */
export interface Client {
  models(signal?: AbortSignal): Promise<Model[]>;
  /**
   * Creates one job, however often it must be sent: every attempt has the same idempotency key.
   *
   * @param signal ends the attempts
   */
  submit<K extends Kind>(kind: K, body: JobBody, signal?: AbortSignal): Promise<JobOf[K]>;
  job<K extends Kind>(kind: K, id: string, signal?: AbortSignal): Promise<JobOf[K]>;
  /** All results, in the order of the inputs. */
  results<K extends Kind>(kind: K, id: string, signal?: AbortSignal): Promise<ResultOf[K][]>;
  cancel(kind: Kind, id: string): Promise<void>;
}

/** Below the service's address, which may have a path of its own. */
function pathOf(kind: Kind, id?: string): string {
  const collection = KINDS[kind].path.slice(1);
  return id === undefined ? collection : `${collection}/${encodeURIComponent(id)}`;
}

/** @param server base address of the service, with or without a slash at its end */
export function createClient(server: string): Client {
  const base = server.endsWith('/') ? server : `${server}/`;

  async function call<Answer>(path: string, init: RequestInit, milliseconds: number): Promise<Answer> {
    const timeout = AbortSignal.timeout(milliseconds);
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    try {
      const response = await fetch(new URL(path, base), { ...init, signal });
      const body: unknown = await response.json().catch(() => null);
      if (!response.ok) throw asError(response.status, body, server);
      return body as Answer;
    } catch (error) {
      if (init.signal?.aborted === true) throw init.signal.reason;
      if (error instanceof DomainError || error instanceof ServiceUnavailableError) throw error;
      throw new ServiceUnavailableError(`the service at ${server} cannot be reached`, { cause: error });
    }
  }

  const get = <Answer>(path: string, signal?: AbortSignal): Promise<Answer> =>
    call(path, signal === undefined ? {} : { signal }, ANSWER_MILLISECONDS);

  return {
    models: async (signal) => (await get<{ data: Model[] }>('v1/models', signal)).data,
    async submit(kind, body, signal) {
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      for (const pause of SUBMIT_PAUSES) {
        try {
          return await call(pathOf(kind), init, SUBMIT_MILLISECONDS);
        } catch (error) {
          if (!mayPass(error) || signal?.aborted === true) throw error;
          await delay(pause, undefined, signal === undefined ? {} : { signal });
        }
      }
      return call(pathOf(kind), init, SUBMIT_MILLISECONDS);
    },
    job: (kind, id, signal) => get(pathOf(kind, id), signal),
    async results<K extends Kind>(kind: K, id: string, signal?: AbortSignal) {
      const results: ResultOf[K][] = [];
      for (let cursor: string | null = '0'; cursor !== null;) {
        const path = `${pathOf(kind, id)}/results?limit=${PAGE}&cursor=${cursor}`;
        const page: { data: ResultOf[K][]; next: string | null } = await get(path, signal);
        results.push(...page.data);
        cursor = page.next;
      }
      return results;
    },
    cancel: (kind, id) => call(`${pathOf(kind, id)}/cancel`, { method: 'POST' }, ANSWER_MILLISECONDS),
  };
}

/** Whether the same submission may be answered otherwise in a moment. */
function mayPass(error: unknown): boolean {
  if (error instanceof DomainError) return error.code === 'idempotency_key_in_use';
  return error instanceof ServiceUnavailableError;
}

/** A problem response as the error that the service threw; what is not one of its own says so. */
function asError(status: number, body: unknown, server: string): Error {
  const { code, detail, errors } = (body ?? {}) as { code?: unknown; detail?: string; errors?: Fault[] };
  if (status === 503)
    return new ServiceUnavailableError(detail ?? `the service at ${server} is not available`);
  if (isErrorCode(code)) return new DomainError(code, detail, errors ?? []);
  return new ServiceUnavailableError(`${server} answered with status ${status}; it is no Smoothcert service`);
}
