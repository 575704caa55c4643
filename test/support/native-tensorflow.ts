/** Why TensorFlow's native binding cannot be here, or null where it must be: a missing one then fails the tests. */
export function nativeTensorflowObstacle(): string | null {
  const { platform, arch, versions } = process;
  if (Number.parseInt(versions.node, 10) > 22) {
    return `its native binding runs on Node 20 and 22, and this is Node ${versions.node}`;
  }
  return `${platform}-${arch}` === 'linux-x64' ? null : `it is not built on ${platform}-${arch}`;
}
