import { isTooOld, OLDEST_SERVER } from './oldest-server.ts';
import type { ServerInfo } from './server-info.ts';

/** What is wrong with a server, in sentences. */
export interface Judgement {
  /** It cannot keep what the service promises. */
  readonly refusals: readonly string[];
  /** It keeps less than it should, or that could not be found out. */
  readonly warnings: readonly string[];
}

/** Says whether a server is fit to keep jobs: it must never evict, should write everything down, and be one server. */
export function judgeServer(server: ServerInfo): Judgement {
  const refusals: string[] = [];
  const warnings: string[] = [];
  const unknown: string[] = [];

  if (server.version === null) unknown.push('version');
  else if (isTooOld(server.version))
    refusals.push(`it is version ${server.version}; ${OLDEST_SERVER} or later is needed`);

  if (server.cluster === null) unknown.push('cluster mode');
  else if (server.cluster)
    refusals.push(
      'it runs in cluster mode, where the keys of one job are on several servers; use one without, with replicas if need be',
    );

  if (server.replica === true) refusals.push('it is a replica, which takes no writes; name its master');

  const { evictionPolicy, memoryLimit } = server;
  if (evictionPolicy === null) unknown.push('maxmemory-policy');
  else if (evictionPolicy !== 'noeviction') {
    const evicts = `maxmemory-policy is ${evictionPolicy}, which deletes jobs when memory runs out; set noeviction`;
    // Without a limit nothing is evicted, until somebody sets one.
    if (memoryLimit === 0) warnings.push(`${evicts} (maxmemory is 0 now, so nothing is deleted yet)`);
    else refusals.push(evicts);
  }

  if (server.appendOnly === null) unknown.push('appendonly');
  else if (!server.appendOnly)
    warnings.push('appendonly is no: jobs that were acknowledged are lost when it restarts; set yes');
  else if (server.appendSync === null) unknown.push('appendfsync');
  else if (server.appendSync === 'no')
    warnings.push(
      'appendfsync is no: jobs of the last half minute are lost when its machine dies; set always',
    );

  if (unknown.length > 0) warnings.push(`it does not let its ${unknown.join(', ')} be read`);
  return { refusals, warnings };
}
