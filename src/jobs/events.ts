import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { isNewerRelease } from './stored/format.ts';
import { type JobEvent, readEvent } from './stored/event.ts';

// What happens to jobs is appended to a stream per owner by the very scripts that change them (scripts.ts), so that each change has
// its event, in order, whatever process is killed. Here is the reading side: one subscription a process, which only wakes; what is
// told is always read from the stream, from where the reader stands. A message that is lost costs a few seconds and no event.

/** The events of one owner, or of one of his jobs. */
export interface EventFilter {
  readonly owner: string;
  /** All jobs of the owner without it. */
  readonly job?: string;
}

export interface JobEvents {
  /**
   * Tells what happens, each event at least once and in order, until the signal aborts. Whoever is slow misses nothing and holds
   * nothing up: he reads from the stream what others have seen already. Events older than the retention are gone: who comes
   * later than that reads the job itself.
   *
   * @param after id of the last event that is known, "0" for all that there are; null for those from now on
   */
  follow(filter: EventFilter, after: string | null, signal: AbortSignal): AsyncGenerator<JobEvent, void>;
  close(): void;
}

/** Events read in one command. */
const PAGE = 200;
/** Events of an owner that are held for those who are up to date. */
const HELD = 1_000;
/** The stream is looked at this often although nobody was woken: messages may be lost. */
const LOOK_MILLISECONDS = 3_000;

export function createJobEvents(redis: Redis, keys: Keys): JobEvents {
  const tails = new Map<string, Tail>();
  const subscriber = redis.duplicate({
    lazyConnect: true,
    enableOfflineQueue: true,
    commandTimeout: undefined,
    maxRetriesPerRequest: null,
  });
  // The connection that it was made of reports an outage.
  subscriber.on('error', () => undefined);
  subscriber.on('message', (_channel: string, owner: string) => tails.get(owner)?.look());
  // Whatever was said while the connection was away is in the stream.
  subscriber.on('ready', () => {
    for (const tail of tails.values()) tail.look();
  });
  let subscribed = false;
  let timer: NodeJS.Timeout | undefined;

  async function read(owner: string, after: string): Promise<Entry[]> {
    return redis.xrange(keys.events(owner), `(${after}`, '+', 'COUNT', PAGE);
  }

  function listen(): void {
    if (subscribed) return;
    subscribed = true;
    subscriber.subscribe(keys.eventChannel).catch(() => undefined);
    timer = setInterval(() => {
      for (const tail of tails.values()) tail.look();
    }, LOOK_MILLISECONDS);
    timer.unref();
  }

  /** The owner's tail, which counts the caller among those who follow it. */
  async function open(owner: string): Promise<Tail> {
    listen();
    let tail = tails.get(owner);
    if (tail === undefined) {
      const [last] = (await redis.xrevrange(keys.events(owner), '+', '-', 'COUNT', 1)) as Entry[];
      // Somebody else may have come meanwhile.
      tail = tails.get(owner) ?? createTail(last?.[0] ?? '0-0', (after) => read(owner, after));
      tails.set(owner, tail);
    }
    tail.followers += 1;
    tail.look();
    return tail;
  }

  /** Entries after `id`, of which there are some unless the signal aborts. */
  async function entriesAfter(
    owner: string,
    tail: Tail,
    id: string,
    signal: AbortSignal,
  ): Promise<readonly Entry[]> {
    let at = id;
    while (!signal.aborted) {
      const held = tail.since(at);
      if (held === null) {
        const found = await read(owner, at);
        if (found.length > 0) return found;
        // What came before is past its retention.
        at = tail.start();
      } else if (held.length > 0) return held;
      else await tail.next(signal);
    }
    return [];
  }

  return {
    async *follow({ owner, job }, after, signal) {
      let at = after === null ? null : completeId(after);
      let tail: Tail | null = null;
      try {
        while (!signal.aborted) {
          let found: readonly Entry[] = [];
          try {
            tail ??= await open(owner);
            at ??= tail.latest();
            found = await entriesAfter(owner, tail, at, signal);
          } catch {
            // Redis is away: what was read last is where it goes on.
            await pause(LOOK_MILLISECONDS, signal);
          }
          for (const [id, fields] of found) {
            at = id;
            const event = understood(owner, id, fields);
            if (event === null || (job !== undefined && event.job.id !== job)) continue;
            if (signal.aborted) return;
            yield event;
          }
        }
      } finally {
        if (tail !== null) {
          tail.followers -= 1;
          if (tail.followers === 0) tails.delete(owner);
        }
      }
    },
    close() {
      clearInterval(timer);
      subscriber.disconnect();
    },
  };
}

type Entry = readonly [id: string, fields: string[]];

/** What an owner's stream ends with, read once for all who follow it. */
interface Tail {
  followers: number;
  /** Looks whether there is more; at once again if it is called meanwhile. */
  look(): void;
  latest(): string;
  /** All entries after this one are held. */
  start(): string;
  /** Entries after `id`; null where they are not all held. */
  since(id: string): readonly Entry[] | null;
  /** Resolves at the next entry, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void>;
}

function createTail(latest: string, read: (after: string) => Promise<Entry[]>): Tail {
  let held: Entry[] = [];
  /** All entries after this one are held. */
  let from = latest;
  let looking = false;
  let again = false;
  let waiting = new Set<() => void>();

  async function lookOn(): Promise<void> {
    looking = true;
    do {
      again = false;
      const found = await read(latest).catch(() => []);
      if (found.length === 0) continue;
      held.push(...found);
      latest = found.at(-1)![0];
      if (held.length > HELD) {
        from = held[held.length - HELD - 1]![0];
        held = held.slice(-HELD);
      }
      again ||= found.length === PAGE;
      const woken = waiting;
      waiting = new Set();
      for (const wake of woken) wake();
    } while (again);
    looking = false;
  }

  return {
    followers: 0,
    look() {
      again = true;
      if (!looking) void lookOn();
    },
    latest: () => latest,
    start: () => from,
    since(id) {
      if (compareIds(id, from) < 0) return null;
      return held.filter(([each]) => compareIds(each, id) > 0);
    },
    next: (signal) =>
      new Promise((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
        if (signal.aborted) wake();
      }),
  };
}

/** Null for an event of a newer release, which whoever reads here could not tell: the job itself says how it stands. */
function understood(owner: string, id: string, fields: readonly string[]): JobEvent | null {
  try {
    return readEvent(owner, id, fields);
  } catch (error) {
    if (isNewerRelease(error)) return null;
    throw error;
  }
}

/** Ids of a stream are milliseconds and a number, which may be left out. */
function completeId(id: string): string {
  if (!/^\d{1,15}(-\d{1,19})?$/.test(id)) throw new RangeError(`${JSON.stringify(id)} is no id of an event`);
  return id.includes('-') ? id : `${id}-0`;
}

function compareIds(a: string, b: string): number {
  const [aTime, aNumber] = a.split('-');
  const [bTime, bNumber] = b.split('-');
  const time = Number(aTime) - Number(bTime);
  return time !== 0 ? time : Number(aNumber) - Number(bNumber);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}
