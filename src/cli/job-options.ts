import type { Command } from 'commander';
import type { JobBody } from '../contract/request.ts';
import { type Kind, KINDS } from '../contract/kinds.ts';
import { DomainError, type Fault } from '../errors.ts';
import type { AskedParameters as ParametersInFull } from '../smoothing/parameters.ts';
import { NumberOptions, parseDecimal } from './number-options.ts';
import { refuseFaults, USAGE_SENTENCE, usageError } from './usage-error.ts';

/** What `certify` and `predict` are given, as it was written. */
export interface JobOptions {
  readonly model?: string;
  readonly sigma?: string;
  readonly n?: string;
  readonly n0?: string;
  readonly alpha?: string;
  readonly bound?: string;
  readonly labels?: string;
  readonly seed?: string;
  readonly index?: string;
  readonly server?: string;
  readonly models?: string;
  readonly lanes?: string;
  readonly report?: string;
  readonly json?: true;
}

/** Parameters of a job as far as the command line has them; the service knows the rest. */
export type AskedParameters = Partial<ParametersInFull>;

/** Adds the options that both commands have. */
export function addJobOptions(command: Command): Command {
  return command
    .argument('<image...>', 'PNG, JPEG or WebP files of the size that the model takes, or folders of such')
    .option('--model <name>', 'the model; may be left out where there is only one')
    .option('--sigma <sd>', 'noise s.d. in pixel units of the [0,1] image; what the model was trained with')
    .option('--n <samples>', 'noisy samples of each image that are counted')
    .option('--alpha <probability>', 'failure probability')
    .option('--labels <file>', 'true classes: CSV of file and label, or JSON [{ "file", "label" }]')
    .option(
      '--seed <hex>',
      "an earlier certificate's seed, to draw its votes again: the result claims nothing",
    )
    .option('--index <k>', "with --seed: the certificate's input.index, of the first image; 0 without it")
    .option('--server <url>', 'a running service; without it everything is started in this process')
    .option('--models <dir>', 'folder of the models, without --server (SMOOTHCERT_MODELS_DIR)')
    .option('--lanes <count>', 'lanes of each device, without --server (SMOOTHCERT_LANES)')
    .option('--json', 'print the results as the API gives them');
}

/**
 * The parameters on the command line, checked by the rules that the service has, before anything is started.
 *
 * @throws DomainError with every fault by the name of its option
 */
export function readParameters(kind: Kind, options: JobOptions): AskedParameters {
  const { sigma, n, n0, alpha, bound } = options;
  const asked = {
    ...(sigma === undefined ? {} : { sigma: parseDecimal(sigma) }),
    ...(n === undefined ? {} : { n: parseDecimal(n) }),
    ...(n0 === undefined ? {} : { n0: parseDecimal(n0) }),
    ...(alpha === undefined ? {} : { alpha: parseDecimal(alpha) }),
    ...(bound === undefined ? {} : { bound: bound as 'pA' }),
  };
  // Without --sigma the model says which; any allowed value stands in for it until then.
  const complete = { sigma: 1, ...asked };
  try {
    KINDS[kind].procedure.parameters(complete);
  } catch (error) {
    throw error instanceof DomainError ? nameOptions(error, []) : error;
  }
  return asked;
}

/**
 * What a request says to draw the votes of an earlier one again; nothing without --seed.
 *
 * @throws DomainError `validation_failed` for an index that is none, or has no seed to go with it
 */
export function readReproduction({
  seed,
  index,
}: JobOptions): Pick<JobBody, 'reproductionSeed' | 'reproductionIndex'> {
  const numbers = new NumberOptions({ index });
  const reproductionIndex = numbers.optional('index', { minimum: 0, maximum: 1_000_000_000, integer: true });
  const alone = { pointer: '--index', detail: 'needs --seed: it says where the repeated job’s images start' };
  refuseFaults([...numbers.faults, ...(index !== undefined && seed === undefined ? [alone] : [])]);
  if (seed === undefined) return {};
  return { reproductionSeed: seed, ...(reproductionIndex === undefined ? {} : { reproductionIndex }) };
}

/** The service's address. @throws DomainError `validation_failed` unless it is an http or https URL */
export function readServer(server: string): string {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return server;
  throw usageError({ pointer: '--server', detail: `must be an http:// or https:// URL; got ${server}` });
}

const NO_CERTIFICATE = 'No outcome could ever be a certificate of what is asked.';

/** The service's faults, which point into the request, by the names that stand on the command line. */
export function nameOptions(error: DomainError, images: readonly string[]): DomainError {
  const faults = error.faults.map(({ pointer, detail }): Fault => {
    const [, part, name] = pointer.split('/');
    if (part === 'parameters' && name !== undefined) return { pointer: `--${name}`, detail };
    if (part === 'inputs') return { pointer: images[Number(name)] ?? pointer, detail };
    if (part === 'model') return { pointer: '--model', detail };
    if (part === 'reproductionSeed') return { pointer: '--seed', detail };
    if (part === 'reproductionIndex') return { pointer: '--index', detail };
    return { pointer, detail };
  });
  const sentence = error.code === 'validation_failed' ? USAGE_SENTENCE : error.code === 'cannot_certify' ? NO_CERTIFICATE : error.message; // prettier-ignore
  return new DomainError(error.code, sentence, faults, { cause: error });
}
