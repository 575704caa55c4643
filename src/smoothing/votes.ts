/** Votes by class: element c counts the noisy samples that the base classifier put in class c. */
export type Votes = readonly number[];

/** Votes as they are stored and published: only the classes that got any, by class number. */
export type SparseVotes = Readonly<Record<string, number>>;

/** Leaves out the classes without a vote. */
export function sparseVotes(votes: Votes): SparseVotes {
  return Object.fromEntries(votes.flatMap((count, index) => (count > 0 ? [[String(index), count]] : [])));
}

/**
 * Adds votes in their sparse form to `counts`, which has an element for every class; returns how many they are.
 *
 * @throws RangeError for a class that there is none of, or a number that counts no votes
 */
export function addSparse(counts: number[], votes: SparseVotes): number {
  let added = 0;
  for (const [name, count] of Object.entries(votes)) {
    const index = Number(name);
    const before = counts[index];
    if (before === undefined || String(index) !== name) {
      throw new RangeError(`votes for class ${name} of ${counts.length} classes`);
    }
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${count} votes for class ${name}`);
    counts[index] = before + count;
    added += count;
  }
  return added;
}

/** Number of votes in all. */
export function totalVotes(votes: Votes): number {
  return votes.reduce((sum, count) => sum + count, 0);
}

/** The class with most votes; of several the lowest, so that ties break the same way everywhere. */
export function topClass(votes: Votes): number {
  let top = 0;
  for (const [index, count] of votes.entries()) if (count > votes[top]!) top = index;
  return top;
}

/** The class with most votes other than `excluded` (the lowest of several), or null with a single class. */
export function runnerUpClass(votes: Votes, excluded: number): number | null {
  let best: number | null = null;
  for (const [index, count] of votes.entries()) {
    if (index !== excluded && (best === null || count > votes[best]!)) best = index;
  }
  return best;
}
