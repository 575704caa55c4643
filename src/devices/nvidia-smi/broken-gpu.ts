/**
 * Whether a line stands for a GPU that the driver can no longer reach: its complaint, or a row in which every value is one.
 * nvidia-smi prints either among the rows of the GPUs that are well.
 */
export function isBrokenGpu(line: string): boolean {
  return (
    /^Unable to determine the device handle for gpu/i.test(line) ||
    /^\[(GPU is lost|Unknown Error)\](, \[(GPU is lost|Unknown Error)\])*$/.test(line)
  );
}
