/**
 * A Softmax or LogSoftmax over the classes at the end of a network. It is monotonic in each row's scores, so what stands before
 * it, the logits, has the same order: the classifier compares logits, which saturate at no 0 or 1, hide nothing from the probe of
 * the rows, and are spared the rounding of the exponentials. Only where float32 makes equal numbers of unequal logits does the
 * class differ: there the higher logit wins, and not the lower class.
 */
export type FinalSoftmax = 'Softmax' | 'LogSoftmax';
