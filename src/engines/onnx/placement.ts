import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type ort from 'onnxruntime-node';
import { type OnnxProvider, PROFILE_NAMES } from './providers.ts';

/** A node of a network and the provider that computed it, as a profile tells. */
export interface PlacedNode {
  readonly node: string;
  readonly operator: string;
  /** The profile's name of it, e.g. "CUDAExecutionProvider". */
  readonly provider: string;
}

interface ProfileEvent {
  readonly cat?: string;
  readonly name?: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

/** Options that make a session write a profile until `endProfiling`. */
export type ProfilingOptions = Pick<
  ort.InferenceSession.SessionOptions,
  'enableProfiling' | 'profileFilePrefix' | 'logSeverityLevel'
>;

/**
 * Gives `use` the options of a session that writes a profile into a private folder, and a function that ends the profile
 * and reads it. The folder is deleted whatever happens.
 */
export async function withProfile<Result>(
  use: (
    options: ProfilingOptions,
    read: (session: ort.InferenceSession) => Promise<PlacedNode[]>,
  ) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'smoothcert-profile-'));
  try {
    return await use(
      // A session that cannot be opened complains of its empty profile, as an error.
      { enableProfiling: true, profileFilePrefix: join(folder, 'profile'), logSeverityLevel: 4 },
      async (session) => {
        session.endProfiling();
        const [file] = await readdir(folder);
        return placedNodes(await readFile(join(folder, file ?? 'profile'), 'utf8'));
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The nodes that ran, by ONNX Runtime's profile: one entry a node and run. */
export function placedNodes(profile: string): PlacedNode[] {
  const suffix = '_kernel_time';
  return (JSON.parse(profile) as ProfileEvent[]).flatMap(({ cat, name = '', args = {} }) =>
    cat === 'Node' && name.endsWith(suffix)
      ? [
          {
            node: name.slice(0, -suffix.length),
            operator: args.op_name ?? 'unknown',
            provider: args.provider ?? 'unknown',
          },
        ]
      : [],
  );
}

/** Most nodes that an error names. */
const NAMED = 10;

/**
 * The first of `providers` that ran a node, where they ran them all; otherwise the sentence that says which nodes ran
 * elsewhere. Copies between host and device are nodes of the device's provider.
 */
export function judgePlacement(
  nodes: readonly PlacedNode[],
  providers: readonly OnnxProvider[],
): { readonly provider: OnnxProvider } | { readonly fault: string } {
  const allowed = new Set(providers.map((each) => PROFILE_NAMES[each]));
  const astray = nodes.filter(({ provider }) => !allowed.has(provider));
  if (astray.length > 0) {
    const named = astray
      .slice(0, NAMED)
      .map(({ node, operator, provider }) => `${node} (${operator}) ran on ${provider}`);
    if (astray.length > NAMED) named.push(`${astray.length - NAMED} more`);
    return { fault: `not all of it computes on ${providers.join(' or ')}: ${named.join(', ')}` };
  }
  const used = providers.find((each) => nodes.some(({ provider }) => provider === PROFILE_NAMES[each]));
  return used === undefined ? { fault: 'no node of it ran in a trial' } : { provider: used };
}
