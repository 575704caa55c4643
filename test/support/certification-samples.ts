import type {
  Certification,
  CertificationResult,
  Model,
  PredictionResult,
} from '../../src/contract/resources.ts';

// Resources as the API gives them, for tests of what is made from them. Each takes what matters to its test.

export const DIGEST = 'ab'.repeat(32);
export const SEED = '0123456789abcdef'.repeat(4);

export function aModel(changes: Partial<Model> = {}): Model {
  return {
    object: 'model',
    name: 'digits',
    version: '1.2.3',
    digest: DIGEST,
    engine: 'onnx',
    input: { height: 2, width: 3, channels: 1, layout: 'NCHW', colourSpace: 'grey' },
    inputShape: [1, 2, 3],
    output: { classes: 3, labels: ['zero', 'one', 'two'] },
    smoothing: { trainedSigma: 0.5 },
    availability: null,
    ...changes,
  };
}

export function aJob(changes: Partial<Certification> = {}): Certification {
  return {
    object: 'certification',
    engine: null,
    reproduction: null,
    waitingFor: null,
    id: 'cert_1',
    status: 'succeeded',
    createdAt: '2026-01-02T03:04:00.000Z',
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:04:15.000Z',
    expiresAt: null,
    model: { name: 'digits', version: '1.2.3', digest: DIGEST },
    parameters: {
      sigma: 0.5,
      n0: 100,
      n: 10_000,
      alpha: 0.001,
      bound: 'pA',
      noise: { scheme: 'rounded-gaussian', version: 1 },
    },
    progress: aProgress(),
    summary: { certified: 1, abstained: 0, reproduced: 0, failed: 0, correct: 1 },
    error: null,
    links: { self: '/v1/certifications/cert_1', results: '/v1/certifications/cert_1/results' },
    ...changes,
  };
}

export function aProgress(changes: Partial<Certification['progress']> = {}): Certification['progress'] {
  return {
    inputsDecided: 3,
    inputsFailed: 1,
    inputsTotal: 8,
    samplesDrawn: 250_000,
    samplesPlanned: 1_000_000,
    samplesPerSecond: 50_000,
    secondsLeft: 15,
    ...changes,
  };
}

type Certificate = NonNullable<CertificationResult['certificate']>;

export function aCertificate(changes: Partial<Certificate> = {}): Certificate {
  return {
    format: 'smoothcert/certificate/1',
    procedure: 'certify',
    sigma: 0.5,
    n0: 100,
    n: 10_000,
    alpha: 0.001,
    bound: 'pA',
    clip: false,
    outcome: 'certified',
    selectedClass: 1,
    selectionVotes: { '1': 100 },
    estimationVotes: { '1': 9_900, '2': 70, '0': 30 },
    pALowerBound: 0.986_000_4,
    pBUpperBound: null,
    certifiedRadius: 1.0986,
    model: { name: 'digits', version: '1.2.3', digest: DIGEST, files: [] },
    input: { digest: DIGEST, shape: [1, 2, 3], layout: 'NCHW', index: 0 },
    noise: {
      scheme: 'rounded-gaussian',
      version: 1,
      totalVariation: 1.492e-23,
      seed: SEED,
      seedSource: 'server',
    },
    engine: { name: 'onnxruntime-node', version: '1.30.0', provider: 'cpu', precision: 'fp32' },
    devices: [{ name: 'CPU', batchSize: 128, samples: 10_100 }],
    software: { name: 'smoothcert', version: '0.1.0' },
    ...changes,
  };
}

/** Certified with class 1, its label. */
export function aResult(changes: Partial<CertificationResult> = {}): CertificationResult {
  return {
    inputId: 'one.png',
    index: 0,
    status: 'decided',
    prediction: { class: 1, label: 'one' },
    topCount: 9_900,
    votes: { '1': 9_900, '2': 70, '0': 30 },
    reference: { label: 1, correct: true },
    warnings: [],
    error: null,
    outcome: 'certified',
    certifiedRadius: 1.0986,
    pALowerBound: 0.986_000_4,
    certificate: aCertificate(),
    reproduction: null,
    ...changes,
  };
}

/** The votes of `aResult` drawn again with its seed. */
export function aReproduction(changes: Partial<CertificationResult> = {}): CertificationResult {
  const { outcome, pALowerBound, pBUpperBound, certifiedRadius, noise, ...rest } = aCertificate();
  return aResult({
    outcome: 'reproduced',
    prediction: null,
    reference: { label: 1, correct: null },
    certifiedRadius: null,
    pALowerBound: null,
    certificate: null,
    reproduction: {
      ...rest,
      format: 'smoothcert/reproduction/1',
      noise: { ...noise, seedSource: 'client' },
      implied: { verdict: outcome, pALowerBound, pBUpperBound, radius: certifiedRadius },
    },
    ...changes,
  });
}

/** Certified with class 1, while its label is 2. */
export const aWrongResult = (changes: Partial<CertificationResult> = {}): CertificationResult =>
  aResult({ inputId: 'wrong.png', reference: { label: 2, correct: false }, ...changes });

export function anAbstention(changes: Partial<CertificationResult> = {}): CertificationResult {
  return aResult({
    inputId: 'hard.png',
    prediction: null,
    outcome: 'abstained',
    topCount: 4_200,
    votes: { '1': 4_200, '2': 4_100, '0': 1_700 },
    reference: { label: 1, correct: false },
    certifiedRadius: null,
    pALowerBound: 0.404_900_4,
    certificate: aCertificate({ outcome: 'abstained', certifiedRadius: null, pALowerBound: 0.404_900_4 }),
    ...changes,
  });
}

export function aFailure(changes: Partial<CertificationResult> = {}): CertificationResult {
  return aResult({
    inputId: 'broken.png',
    status: 'failed',
    prediction: null,
    outcome: null,
    topCount: null,
    votes: null,
    reference: { label: 1, correct: null },
    certifiedRadius: null,
    pALowerBound: null,
    certificate: null,
    error: { code: 'input_undecodable', detail: 'not a picture' },
    ...changes,
  });
}

export function aPrediction(changes: Partial<PredictionResult> = {}): PredictionResult {
  return {
    inputId: 'one.png',
    index: 0,
    status: 'decided',
    prediction: { class: 1, label: 'one' },
    topCount: 990,
    votes: { '1': 990, '0': 10 },
    reference: null,
    warnings: [],
    error: null,
    outcome: 'predicted',
    pValue: 1.234e-20,
    provenance: null,
    reproduction: null,
    ...changes,
  };
}
