/**
 * What the graph of a model file says of the rows of a batch, without running anything: whether a row's scores depend on
 * nothing but that row.
 *
 * - `independent`: proved. Every operator between input and scores works on each row by itself, whatever the batch size.
 * - `mixes`: some operator lets a row's scores depend on other rows, on their number, or on the row's place.
 * - `unknown`: some operator could not be followed; only a probe of the network can say more.
 */
export interface BatchMixing {
  readonly verdict: 'independent' | 'mixes' | 'unknown';
  /** The operators that mix, or that could not be followed, as the file names them; none where the rows are independent. */
  readonly operators: readonly string[];
}
