import type { ResultResource } from '../../src/contract/resources.ts';

/** What the votes of a reproduction say that must not depend on who drew them. */
export function reproducedVotes(results: readonly ResultResource[]): unknown {
  return results.map((result) => {
    if (!('certificate' in result) || result.reproduction === null) throw new Error(JSON.stringify(result));
    const { selectionVotes, estimationVotes, implied } = result.reproduction;
    return { input: result.inputId, selectionVotes, estimationVotes, implied };
  });
}
