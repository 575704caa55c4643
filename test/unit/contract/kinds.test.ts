import type { Static } from 'typebox';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Immutable } from '../../../src/contract/building-blocks.ts';
import { KIND_NAMES, KINDS, type ParametersOf, samplesPerInput } from '../../../src/contract/kinds.ts';
import {
  CertificateSchema,
  type CertificationReproductionSchema,
  type PredictionReproductionSchema,
  type PredictionResultSchema,
} from '../../../src/contract/result.ts';
import { compileSchema } from '../../../src/schema-faults.ts';
import type { Certificate, CertificateOrigin } from '../../../src/smoothing/certificate.ts';
import { certificate, certifyProcedure } from '../../../src/smoothing/procedures/certify.ts';
import type { CertifyReproduction, PredictReproduction } from '../../../src/smoothing/reproduction.ts';

/** All properties of a type in one object, whichever interfaces they come from. */
type Flat<Value> = Value extends object ? { [Name in keyof Value]: Flat<Value[Name]> } : Value;

describe('what is published of a decision', () => {
  it('is to the compiler what its schema says, property by property', () => {
    expectTypeOf<Flat<Immutable<Static<typeof CertificateSchema>>>>().toEqualTypeOf<Flat<Certificate>>();
    expectTypeOf<Flat<Immutable<Static<typeof CertificationReproductionSchema>>>>().toEqualTypeOf<
      Flat<CertifyReproduction>
    >();
    expectTypeOf<Flat<Immutable<Static<typeof PredictionReproductionSchema>>>>().toEqualTypeOf<
      Flat<PredictReproduction>
    >();
    type Provenance = NonNullable<Static<typeof PredictionResultSchema>['provenance']>;
    expectTypeOf<Flat<Immutable<Provenance>>>().toEqualTypeOf<Flat<CertificateOrigin<'server'>>>();
  });

  it('is a certificate by its schema as it is made, and none with a property more or less', () => {
    const parameters = { sigma: 0.5, n0: 10, n: 1_000, alpha: 0.001, bound: 'pA-pB' } as const;
    const step = certifyProcedure(parameters, 1e-24).next({ selection: [0, 10], estimation: [10, 990] });
    if (step.kind !== 'done') throw new Error('the procedure has not decided');
    const made = certificate(parameters, step.result, {
      model: { name: 'm', version: '1', digest: 'a'.repeat(64), files: [] },
      input: { digest: 'c'.repeat(64), shape: [1, 28, 28], layout: 'NCHW', index: 3 },
      noise: { scheme: 's', version: 1, totalVariation: 1e-24, seed: 'd'.repeat(64), seedSource: 'server' },
      engine: { name: 'onnxruntime-node', version: '1.30.0', provider: 'cpu', precision: 'fp32' },
      devices: [{ name: 'CPU', batchSize: 64, samples: 1_010 }],
      software: { name: 'smoothcert', version: '0.1.0' },
    });
    const schema = compileSchema(CertificateSchema);
    const holds = (value: unknown): boolean => schema.Check(value);
    expect(holds(made)).toBe(true);
    expect(holds({ ...made, more: 1 })).toBe(false);
    for (const name of Object.keys(made)) {
      const { [name as 'format']: _, ...less } = made;
      expect(holds(less)).toBe(false);
    }
    expect(holds({ ...made, noise: { ...made.noise, seedSource: 'client' } })).toBe(false);
  });
});

describe('each kind of job', () => {
  it('has names that no other has', () => {
    for (const name of ['title', 'path', 'idPrefix'] as const) {
      expect(new Set(KIND_NAMES.map((kind) => KINDS[kind][name])).size).toBe(KIND_NAMES.length);
    }
  });

  it.each(KIND_NAMES)('%s takes the parameters of its own example, by schema and by procedure', (kind) => {
    const { parameters, example, procedure } = KINDS[kind];
    const asked = (example as { parameters: ParametersOf['prediction'] }).parameters;
    expect(compileSchema(parameters).Check(asked)).toBe(true);
    expect(procedure.parameters(asked)).toMatchObject(asked);
  });

  it('plans the samples that its procedure asks for', () => {
    const certified = { sigma: 0.5, n0: 100, n: 1_000, alpha: 0.001, bound: 'pA' } as const;
    expect(samplesPerInput({ kind: 'certification', parameters: certified })).toBe(1_100);
    expect(samplesPerInput({ kind: 'prediction', parameters: { sigma: 0.5, n: 70, alpha: 0.001 } })).toBe(70);
  });
});
