/** What connections need to know of a server. */
export interface ServerTraits {
  readonly version: string | null;
  /** Whether INFO is allowed: managed servers forbid it. */
  readonly tellsInfo: boolean;
}

/** A server that is one's own, and not looked at. */
export const OWN_SERVER: ServerTraits = { version: null, tellsInfo: true };

/** What a server says of itself; null where it does not say it, or may not be asked. */
export interface ServerInfo {
  readonly version: string | null;
  readonly cluster: boolean | null;
  readonly replica: boolean | null;
  readonly evictionPolicy: string | null;
  /** Bytes; 0 for no limit. */
  readonly memoryLimit: number | null;
  readonly appendOnly: boolean | null;
  readonly appendSync: string | null;
}

/** Reads the answers of HELLO and INFO, and the settings that CONFIG GET told; each null where it was refused. */
export function readServerInfo(
  hello: unknown,
  info: string | null,
  settings: ReadonlyMap<string, string> | null,
): ServerInfo {
  const greeting = pairs(hello);
  const lines = new Map(
    (info ?? '').split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(':');
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
  const flag = (text: string | undefined, yes: string): boolean | null =>
    text === undefined ? null : text === yes;
  // Valkey states the version of Redis that it stands for as well, which counts here.
  const version = lines.get('redis_version') ?? greeting.get('version');
  const role = lines.get('role') ?? greeting.get('role');
  const limit = lines.get('maxmemory') ?? settings?.get('maxmemory');
  return {
    version: version ?? null,
    cluster: flag(lines.get('cluster_enabled'), '1') ?? flag(greeting.get('mode'), 'cluster'),
    replica: role === undefined ? null : role !== 'master',
    evictionPolicy: lines.get('maxmemory_policy') ?? settings?.get('maxmemory-policy') ?? null,
    memoryLimit: limit === undefined ? null : Number(limit),
    appendOnly: flag(lines.get('aof_enabled'), '1') ?? flag(settings?.get('appendonly'), 'yes'),
    appendSync: settings?.get('appendfsync') ?? null,
  };
}

/** A map as RESP2 sends it, names and values by turns. */
function pairs(answer: unknown): Map<string, string> {
  const list = Array.isArray(answer) ? (answer as unknown[]) : [];
  return new Map(
    list.flatMap((name, index) =>
      index % 2 === 0 ? [[String(name), String(list[index + 1])] as const] : [],
    ),
  );
}
