/** BullMQ's scripts use commands of this version. */
export const OLDEST_SERVER = '6.2';

/** Whether a server of this version lacks commands that are used. */
export function isTooOld(version: string): boolean {
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_SERVER.split('.').map(Number);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}
