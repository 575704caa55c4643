import type { EngineSession } from './engine.ts';
import type { VerifiedModel } from './model-store.ts';

/** Opens a verified model in the engine that its manifest names; the engine's library is loaded only then. */
export async function openSession(model: VerifiedModel): Promise<EngineSession> {
  const { openOnnxSession } = await import('./onnx-engine.ts');
  return openOnnxSession(model);
}
