import type { CertificateOrigin, SeedSource } from './certificate.ts';
import type { Evidence } from './evidence.ts';
import type { AskedParameters } from './parameters.ts';
import type { Procedure, Step } from './procedure.ts';
import { REPRODUCTION_WARNING } from './reproduction.ts';
import { type SparseVotes, sparseVotes, type Votes } from './votes.ts';

/** Where an input's votes come from, but for what drew them, which the votes themselves say. */
export type InputOrigin = Omit<CertificateOrigin, 'engine' | 'devices'>;

/** What every verdict says, whatever is claimed. */
export interface Counted {
  /** Votes for the class that the procedure is about. */
  readonly topCount: number;
  readonly votes: SparseVotes;
  readonly warnings: readonly string[];
}

/** What a procedure concludes of one input: what it claims, or votes drawn again with a client's seed, which claim nothing. */
export type Verdict<Claim, Reproduction> = Counted &
  (Claim | { readonly kind: 'reproduction'; readonly reproduction: Reproduction });

/** A procedure as a job sees it, from what is asked to what is answered. */
export interface ProcedureEntry<Parameters, Claim, Reproduction> {
  /**
   * Fills in the defaults and checks, reporting all faults at once.
   *
   * @param pointer JSON pointer of the object, put in front of each fault's pointer
   * @throws DomainError `validation_failed`, or `cannot_certify` where no votes could ever claim what is asked
   */
  readonly parameters: (asked: AskedParameters, pointer?: string) => Parameters;
  /** Most samples that an input takes. */
  readonly plannedSamples: (parameters: Parameters) => number;
  /**
   * The next step of one input. See `Procedure` for when it may be asked.
   *
   * @param origin the total variation of its noise goes into the decision; a client's seed makes the verdict a reproduction
   * @throws Error where the evidence is not exactly what was asked for
   */
  readonly next: (
    parameters: Parameters,
    evidence: Evidence,
    origin: InputOrigin,
    warnings: readonly string[],
  ) => Step<Verdict<Claim, Reproduction>>;
}

/** What a procedure's own file says of it. */
interface Definition<Parameters, Result, Claim, Reproduction> {
  readonly parameters: ProcedureEntry<Parameters, Claim, Reproduction>['parameters'];
  /** @param kindsOfDevice how many different devices drew: from two on, votes may have different probabilities */
  readonly start: (
    parameters: Parameters,
    totalVariation: number,
    kindsOfDevice: number,
  ) => Procedure<Result>;
  readonly votes: (result: Result) => { readonly topCount: number; readonly votes: Votes };
  readonly claim: (parameters: Parameters, result: Result, origin: CertificateOrigin<'server'>) => Claim;
  readonly reproduction: (
    parameters: Parameters,
    result: Result,
    origin: CertificateOrigin<'client'>,
  ) => Reproduction;
}

/** Makes the entry of a procedure: what is alike in all of them is written here. */
export function procedureEntry<Parameters, Result, Claim, Reproduction>(
  definition: Definition<Parameters, Result, Claim, Reproduction>,
): ProcedureEntry<Parameters, Claim, Reproduction> {
  const { start, votes, claim, reproduction } = definition;
  return {
    parameters: definition.parameters,
    plannedSamples: (parameters) => start(parameters, 0, 1).plannedSamples,
    next(parameters, { tally, engine, devices }, { software, ...origin }, warnings) {
      const step = start(parameters, origin.noise.totalVariation, devices.length).next(tally);
      if (step.kind === 'draw') return step;
      if (engine === null) throw new Error('decided without votes');
      const counted = votes(step.result);
      const said = { topCount: counted.topCount, votes: sparseVotes(counted.votes) };
      const { seedSource } = origin.noise;
      const from = <Source extends SeedSource>(source: Source): CertificateOrigin<Source> => ({
        ...origin,
        noise: { ...origin.noise, seedSource: source },
        engine,
        devices,
        software,
      });
      if (seedSource === 'server') {
        const result = { ...claim(parameters, step.result, from(seedSource)), ...said, warnings };
        return { kind: 'done', result };
      }
      const repeated = reproduction(parameters, step.result, from(seedSource));
      const all = [REPRODUCTION_WARNING, ...warnings];
      return {
        kind: 'done',
        result: { kind: 'reproduction', reproduction: repeated, ...said, warnings: all },
      };
    },
  };
}
