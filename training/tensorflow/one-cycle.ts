/** Share of the steps that lead up to the peak. */
const RISE = 0.15;
/** The peak over the first learning rate. */
const START_DIVISOR = 25;
/** The first learning rate over the last. */
const END_DIVISOR = 1e4;

/**
 * The one-cycle schedule (Smith & Topin, "Super-Convergence", 2017) in the form of PyTorch's OneCycleLR: half a cosine
 * from peak/25 up to the peak, half a cosine down to peak/250,000.
 *
 * @param step 0 to steps − 1
 * @param steps at least 14, so that the rise has a step
 */
export function oneCycle(step: number, steps: number, peak: number): number {
  const start = peak / START_DIVISOR;
  const top = RISE * steps - 1;
  if (step <= top) return cosine(start, peak, step / top);
  return cosine(peak, start / END_DIVISOR, (step - top) / (steps - 1 - top));
}

/** From `from` at share 0 to `to` at share 1 on half a cosine. */
function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
