/**
 * The shortest of several runs, in milliseconds. What else the machine does lengthens some of them and hardly all, so the ratio
 * of two such times says what costs more on a busy machine too; one of them alone says little.
 */
export function fastest(run: () => void, rounds = 30): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    run();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}
