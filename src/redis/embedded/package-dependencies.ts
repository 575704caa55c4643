/**
 * The libraries in a Debian `Depends:` field: the first alternative of each, without version and architecture.
 * Everything else (adduser, init scripts, interpreters) is there for an installed service, which this is not.
 */
export function dependencyNames(depends: string): string[] {
  return depends
    .split(',')
    .map((alternatives) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(alternatives)?.[1] ?? '')
    .filter((name) => name.startsWith('lib') || name.startsWith('lua-'));
}
