/** A folder of src, or a file of src itself. */
export interface Room {
  readonly name: string;
  /** What stands in it, as ARCHITECTURE.md says it. */
  readonly holds: string;
  /** Rooms above it in this list that it may import, or single files of theirs; null for all of them. */
  readonly imports: readonly string[] | null;
  /** Packages that it may import, their parts included; `node:` and `@scope/` stand for all that begin so. */
  readonly packages: readonly string[];
}

/**
 * The rooms of src, from the ground up: a room imports only what stands before it here, and of that only what its line
 * allows. A type that two rooms share goes into the lower one, never sideways.
 */
export const ROOMS: readonly Room[] = [
  { name: 'errors.ts', holds: 'the closed table of errors', imports: [], packages: [] },
  { name: 'logger.ts', holds: 'the logger', imports: [], packages: ['pino'] },
  { name: 'log-events.ts', holds: 'the closed table of log lines', imports: [], packages: [] },
  { name: 'version.ts', holds: 'the version of the product', imports: [], packages: ['node:'] },
  { name: 'find-executable.ts', holds: 'programs on the PATH', imports: [], packages: ['node:'] },
  { name: 'launch.ts', holds: 'how a program is started', imports: [], packages: [] },
  {
    name: 'run-command.ts',
    holds: 'programs that are run to their end',
    imports: ['launch.ts'],
    packages: ['node:'],
  },
  {
    name: 'die-with-parent.ts',
    holds: 'programs that never outlive this process',
    imports: ['find-executable.ts', 'launch.ts', 'run-command.ts'],
    packages: [],
  },
  {
    name: 'lifecycle.ts',
    holds: 'what closes in which order',
    imports: ['logger.ts', 'log-events.ts'],
    packages: ['close-with-grace'],
  },
  {
    name: 'schema-faults.ts',
    holds: 'schemas compiled, and their faults in words',
    imports: ['errors.ts'],
    packages: ['typebox'],
  },
  {
    name: 'statistics',
    holds:
      'Φ, incomplete beta, Clopper-Pearson, binomial test, radii: directed roundings, checked against mpmath',
    imports: [],
    packages: [],
  },
  {
    name: 'random',
    holds: 'the noise: Philox, exact 96-bit cutpoints, the SIMD kernel and a plain reference',
    imports: [],
    packages: [],
  },
  {
    name: 'smoothing',
    holds: 'parameters, evidence from votes, the procedures CERTIFY and PREDICT, the certificate',
    imports: ['errors.ts', 'statistics', 'random'],
    packages: [],
  },
  {
    name: 'models',
    holds:
      'manifests, the model store, the formats of model files, what their graphs do to rows, images and tensors',
    imports: ['errors.ts', 'schema-faults.ts', 'random/limits.ts'],
    packages: ['node:', 'typebox', 'sharp', 'fastq', 'protobufjs'],
  },
  {
    name: 'contract',
    holds: 'schemas and types of what leaves a process: statuses, kinds of jobs, requests, results, devices',
    imports: ['errors.ts', 'smoothing', 'models'],
    packages: ['typebox'],
  },
  {
    name: 'engines',
    holds: 'the `EngineSession` port to ONNX Runtime and TensorFlow, and the classifier above it',
    imports: ['errors.ts', 'models'],
    packages: ['node:', 'onnxruntime-node', '@tensorflow/'],
  },
  {
    name: 'devices',
    holds: 'which devices there are, how a process is pinned to one, how they fare',
    imports: ['errors.ts', 'find-executable.ts', 'launch.ts', 'models', 'engines'],
    packages: ['node:', 'onnxruntime-node'],
  },
  {
    name: 'host',
    holds: 'device hosts: the child process, its lanes, who watches it',
    imports: [
      'errors.ts',
      'logger.ts',
      'log-events.ts',
      'launch.ts',
      'random',
      'models',
      'contract',
      'engines',
      'devices',
    ],
    packages: ['node:', 'birpc'],
  },
  {
    name: 'redis',
    holds: 'connections, and the embedded server',
    imports: [
      'errors.ts',
      'logger.ts',
      'log-events.ts',
      'find-executable.ts',
      'launch.ts',
      'run-command.ts',
      'die-with-parent.ts',
    ],
    packages: ['node:', 'ioredis'],
  },
  {
    name: 'jobs',
    holds: 'queues, coordinator, sampling, stores, the worker',
    imports: [
      'errors.ts',
      'logger.ts',
      'log-events.ts',
      'version.ts',
      'launch.ts',
      'schema-faults.ts',
      'random',
      'smoothing',
      'models',
      'contract',
      'engines',
      'devices',
      'host',
      'redis',
    ],
    packages: ['node:', 'typebox', 'bullmq', 'ioredis'],
  },
  {
    name: 'report',
    holds: 'the report: page, plot, cards, summary, numbers for people',
    imports: ['errors.ts', 'statistics', 'random', 'smoothing', 'models', 'contract'],
    packages: ['sharp'],
  },
  {
    name: 'config',
    holds: 'settings; the only reader of the environment',
    imports: ['errors.ts', 'logger.ts', 'devices'],
    packages: ['node:', 'typebox'],
  },
  {
    name: 'api',
    holds: 'routes, checks, problems; HTTP lives here',
    imports: [
      'errors.ts',
      'logger.ts',
      'log-events.ts',
      'version.ts',
      'schema-faults.ts',
      'random',
      'smoothing',
      'models',
      'contract',
      'jobs',
      'report',
    ],
    packages: ['node:', 'typebox', 'fastify', '@fastify/', 'csv-stringify'],
  },
  {
    name: 'cli',
    holds: 'the command line and the demo',
    imports: [
      'errors.ts',
      'logger.ts',
      'version.ts',
      'lifecycle.ts',
      'smoothing',
      'models',
      'contract',
      'report',
      'config',
      'redis/embedded/embedded-redis-error.ts',
    ],
    packages: ['node:', 'commander', 'cli-progress', 'cli-table3', 'csv-parse'],
  },
  {
    name: 'main',
    holds: 'composition: configuration -> start -> close',
    imports: null,
    packages: ['node:'],
  },
];
