/** Files that frameworks save and no engine here reads, by their endings, with the way from them to one that is read. */
const FOREIGN: Readonly<Record<string, string>> = {
  h5: 'is a Keras file; in Python: keras.models.load_model(FILE), then model.export(FOLDER) for a SavedModel, or tensorflowjs_converter --input_format keras FILE FOLDER for a model.json',
  hdf5: 'is a Keras file; in Python: keras.models.load_model(FILE), then model.export(FOLDER) for a SavedModel',
  keras: 'is a Keras file; in Python: keras.models.load_model(FILE), then model.export(FOLDER) for a SavedModel',
  pt: 'is a PyTorch file; in Python: torch.onnx.export(model, image, "model.onnx", dynamic_axes={"image": {0: "batch"}}, input_names=["image"])',
  pth: 'is a PyTorch file; in Python: torch.onnx.export(model, image, "model.onnx", dynamic_axes={"image": {0: "batch"}}, input_names=["image"])',
  safetensors: 'holds weights without a network; load them into the network in Python, and export that to ONNX',
  tflite: 'is a TensorFlow Lite file; python -m tf2onnx.convert --tflite FILE --output model.onnx makes an ONNX file of it',
  pkl: 'is a Python pickle; skl2onnx makes ONNX files of scikit-learn models',
  joblib: 'is a Python pickle; skl2onnx makes ONNX files of scikit-learn models',
};

/** What to do with a model file that no engine reads, or null for another name. */
export function conversionOf(path: string): string | null {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
  const words = ending === undefined ? undefined : FOREIGN[ending];
  return words === undefined ? null : `${path} ${words}; docs/your-model.md says more`;
}

/** First bytes of such files, whatever their name, with the ending that says what they are. */
const MAGIC: readonly (readonly [string, string])[] = [
  ['\u0089HDF\r\n', 'h5'],
  ['PK\u0003\u0004', 'pt'],
  ['\u0080\u0002', 'pkl'],
];

/** What a file is that is no ONNX or TensorFlow model, where its first bytes say it, or "". */
export function foreignBytes(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  const ending = MAGIC.find(([magic]) => start.startsWith(magic))?.[1];
  if (ending === undefined) return '';
  return ending === 'pt' ? ': it is a zip archive, as PyTorch (.pt) and Keras (.keras) save models' : ending === 'h5' ? ': it is an HDF5 file, as Keras (.h5) saves models' : ': it is a Python pickle'; // prettier-ignore
}
