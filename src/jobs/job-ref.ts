/** Names a job for good: whose it is, and which. */
export interface JobRef {
  readonly owner: string;
  readonly id: string;
}

/** Whose everything is as long as nobody tells clients apart. */
export const DEFAULT_OWNER = 'default';

// Both are parts of Redis' keys and of BullMQ's ids: neither has ":", "/" or "." in it.
const OWNER = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Whether this could name a job: whatever a client sends as an id must, before a key is made of it. */
export function isJobRef({ owner, id }: JobRef): boolean {
  return OWNER.test(owner) && ID.test(id);
}

/** As a member of sets and lists of jobs of all owners. */
export function refText({ owner, id }: JobRef): string {
  return `${owner}/${id}`;
}

/** What `refText` has made, or null. */
export function parseRef(text: string): JobRef | null {
  const [owner = '', id = '', ...more] = text.split('/');
  const ref = { owner, id };
  return more.length === 0 && isJobRef(ref) ? ref : null;
}

/** As BullMQ's id of what is done for a job: the same work queued twice has the same name. */
export function queueId({ owner, id }: JobRef, work?: string): string {
  return work === undefined ? `${owner}.${id}` : `${owner}.${id}.${work}`;
}
