import type { RedisOptions } from 'ioredis';

/** Where a server is and how to log in: the part of ioredis' options that can be spread into further ones. */
export interface RedisEndpoint extends Pick<RedisOptions, 'db' | 'username' | 'password' | 'tls'> {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

/**
 * Turns the URL of a Redis server into ioredis options. Accepted are
 *
 * - `redis://[user[:password]@]host[:port][/db]`, and `rediss://…` for TLS with the host's name verified,
 * - `unix:///absolute/path.sock[?db=N]`, percent-escaped like every URL; `unix://user:password@/path` for a server
 *   with a password.
 *
 * Anything else throws a plain `Error` that says what is accepted. It never repeats the URL, which may hold a password.
 */
export function parseRedisUrl(url: string): RedisEndpoint {
  // The URL standard knows no name and password without a host.
  const login = /^(unix:\/\/[^/@]*@)\/(.*)$/s.exec(url);
  const text = login === null ? url : `${login[1]!}${NO_HOST}/${login[2]!}`;
  const parsed = URL.canParse(text) ? new URL(text) : null;
  switch (parsed?.protocol) {
    case 'redis:':
    case 'rediss:':
      return networkOptions(parsed);
    case 'unix:':
      return socketOptions(parsed, login === null ? '' : NO_HOST);
    default:
      throw refusal('it is not such a URL');
  }
}

const DEFAULT_PORT = 6379;
const NO_HOST = 'socket';

function networkOptions(url: URL): RedisEndpoint {
  if (url.hostname === '') throw refusal('it names no host');
  refuseParameters(url, []);
  const path = /^\/?(.*)$/.exec(url.pathname)?.[1] ?? '';
  // An IPv6 address stands in brackets in a URL, and without them everywhere else.
  const host = decode(url.hostname).replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    ...credentials(url),
    ...(path === '' ? {} : { db: databaseIndex(path) }),
    ...(url.protocol === 'rediss:' ? { tls: { servername: host } } : {}),
  };
}

function socketOptions(url: URL, noHost: string): RedisEndpoint {
  if (url.hostname !== noHost || url.port !== '')
    throw refusal('a socket has no host: write unix:/// with three slashes');
  refuseParameters(url, ['db']);
  const path = decode(url.pathname);
  if (!path.startsWith('/') || path.endsWith('/')) throw refusal('it names no socket');
  const databases = url.searchParams.getAll('db');
  if (databases.length > 1) throw refusal('it names several databases');
  return {
    path,
    ...credentials(url),
    ...(databases[0] === undefined ? {} : { db: databaseIndex(databases[0]) }),
  };
}

function credentials(url: URL): Pick<RedisEndpoint, 'username' | 'password'> {
  return {
    ...(url.username === '' ? {} : { username: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) }),
  };
}

function databaseIndex(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw refusal('its database is not a whole number');
  return Number(text);
}

/** An option that would be ignored is refused: nobody finds out otherwise that it has no effect. */
function refuseParameters(url: URL, allowed: readonly string[]): void {
  const unknown = [...url.searchParams.keys()].find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw refusal('it has a parameter that is not known here');
  if (url.hash !== '') throw refusal('it has a fragment (#): escape that character as %23');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal('it has a malformed percent escape');
  }
}

function refusal(reason: string): Error {
  return new Error(
    `The Redis URL must look like redis://host:6379/0, rediss://host:6379/0 or unix:///path/to.sock?db=0, but ${reason}`,
  );
}
