// onnxruntime-common's declarations name browser classes in overloads that do not exist in Node. Empty stand-ins keep
// declaration files checked without letting the whole DOM library into this program.
interface WebGLRenderingContext {}
interface WebGLTexture {}
interface ImageData {}
interface ImageBitmap {}
interface HTMLImageElement {}
