import type { ResultRecord } from '../../src/jobs/job-record.ts';

const DIGEST = 'd'.repeat(64);

/** A stored result of a certification: of a class with its radius, or an abstention. */
export function certified(cls: number | null, radius: number | null): ResultRecord {
  const outcome = cls === null ? 'abstained' : 'certified';
  const votes = { '3': 7_312, '5': 2_688 };
  return {
    kind: 'certification',
    outcome,
    class: cls,
    topCount: 7_312,
    votes,
    warnings: ['a warning', 'another'],
    certificate: {
      format: 'smoothcert/certificate/1',
      procedure: 'certify',
      sigma: 0.5,
      n0: 100,
      n: 10_000,
      alpha: 0.001,
      bound: 'pA',
      clip: false,
      outcome,
      selectedClass: cls ?? 3,
      selectionVotes: { '3': 100 },
      estimationVotes: votes,
      pALowerBound: 0.7172974999,
      pBUpperBound: null,
      certifiedRadius: radius,
      model: {
        name: 'mnist-cnn',
        version: '1.0.0',
        digest: DIGEST,
        files: [{ path: 'model.onnx', sha256: DIGEST }],
      },
      input: { digest: DIGEST, shape: [1, 28, 28], layout: 'NCHW', index: 0 },
      noise: {
        scheme: 'grid',
        version: 1,
        totalVariation: 1e-12,
        seed: '0'.repeat(64),
        seedSource: 'server',
      },
      engine: { name: 'onnx', version: '1.30.0', provider: 'cpu', precision: 'fp32' },
      devices: [{ name: 'CPU', batchSize: 64, samples: 10_100 }],
      software: { name: 'smoothcert', version: '0.1.0' },
    },
  };
}
