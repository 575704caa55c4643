// Imported before TensorFlow, which reads these when its library is loaded. One thread makes sums in one order, so that a
// machine repeats its own result.
Object.assign(process.env, { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' });
