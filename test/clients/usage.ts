// What a TypeScript client generated from the OpenAPI document must let people write. scripts/check-openapi-clients.sh puts the
// generated types beside it and has the compiler check it.
import type { components, operations, paths } from './generated/smoothcert.js';

type Schemas = components['schemas'];
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <Fact extends true>(): Fact => true as Fact;

const parameters: Schemas['CertificationParameters'] = { sigma: 0.5, n: 1_000, bound: 'pA-pB' };
export const request: Schemas['CertificationRequest'] = {
  model: 'mnist-cnn',
  parameters,
  inputs: [{ tensor: { dtype: 'uint8', shape: [1, 28, 28], data: 'AAAA' } }],
};

holds<
  Equal<NonNullable<NonNullable<operations['listCertifications']['parameters']['query']>['limit']>, number>
>();
holds<Equal<Schemas['Certification']['parameters'], Schemas['AppliedCertificationParameters']>>();
holds<Equal<Schemas['CertificationFormData']['request'], Schemas['CertificationForm']>>();
holds<Equal<Schemas['ModelInput']['layout'], 'NCHW' | 'NHWC'>>();
holds<Equal<Schemas['CertificationResult']['certificate'], Schemas['Certificate'] | null>>();

type Accepted = paths['/v1/certifications']['post']['responses'][202]['content']['application/json'];
holds<Equal<Accepted, Schemas['Certification']>>();
type Refused = paths['/v1/certifications']['post']['responses'][409]['content']['application/problem+json'];
holds<Equal<Refused, Schemas['Problem']>>();
