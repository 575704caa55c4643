/** Limits of the scheme: the counter has 29 bits for an element's block more than the 3 of its place, 48 for samples. */
export const MAX_ELEMENTS_OF_SCHEME = 2 ** 35;
export const MAX_SAMPLES_OF_SCHEME = 2 ** 48;

/** Largest |K| that the scheme allows: with a pixel added, it and the kernel's marks still fit in 16 bits. */
export const MAX_NOISE = 8191;

/**
 * Largest σ accepted, two digits of 2.8419…: with z = Φ⁻¹(1 − 2⁻⁹⁷) = 11.3034, kmax = ⌊255 σ z + ½⌋ is 8186 at 2.84 and
 * 8192 at 2.842, above `MAX_NOISE`.
 */
export const MAX_SIGMA = 2.84;

/** Limits of one kernel: 2²² elements are a 2048² grey or 1182² colour image, 2 GiB half of what WASM can address. */
export const MAX_KERNEL_ELEMENTS = 2 ** 22;
export const MAX_BATCH_BYTES = 2 ** 31;
