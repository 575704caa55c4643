import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Why ONNX Runtime cannot be tested on an NVIDIA GPU with this provider here, or null where it can. */
export function missingForNvidia(provider: 'cuda' | 'tensorrt'): string | null {
  if (!existsSync('/dev/nvidiactl')) return 'there is no NVIDIA GPU';
  const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const library = `libonnxruntime_providers_${provider}.so`;
  return existsSync(join(folder, 'bin', 'napi-v6', process.platform, process.arch, library))
    ? null
    : `there is no ${library} beside onnxruntime-node`;
}
