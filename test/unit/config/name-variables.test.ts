import { describe, expect, test } from 'vitest';
import { EnvironmentSchema } from '../../../src/config/env.ts';
import { nameVariables } from '../../../src/config/name-variables.ts';
import { deviceTarget } from '../../../src/devices/target.ts';
import { discoverDevices } from '../../../src/devices/discover.ts';
import { DomainError } from '../../../src/errors.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { toolsIn } from '../../support/recorded-nvidia-smi.ts';

const named = async (refused: () => unknown): Promise<DomainError> => {
  const error = nameVariables(await domainFault(async () => refused()));
  expect(error).toBeInstanceOf(DomainError);
  return error as DomainError;
};
const CPU = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 1, driver: null } as const;

describe('what other rooms find wrong with settings', () => {
  test('is told by the names of variables that there are', async () => {
    const faults = [
      ...(await named(() => discoverDevices({ kind: 'cuda' }, null, toolsIn('/nowhere')))).faults,
      ...(await named(() => deviceTarget(CPU, { precision: 'tf32', tensorrt: true, wasm: false }))).faults,
    ];
    const pointers = faults.map(({ pointer }) => pointer);
    expect(pointers).toEqual(['SMOOTHCERT_DEVICES', 'SMOOTHCERT_TENSORRT', 'SMOOTHCERT_PRECISION']);
    for (const pointer of pointers) expect(EnvironmentSchema.properties).toHaveProperty(pointer);
  });

  test('keeps its code, its words and where it came from', async () => {
    const cause = new DomainError('device_unavailable', 'not that one', [
      { pointer: 'devices', detail: 'no' },
    ]);
    expect(nameVariables(cause)).toMatchObject({
      code: 'device_unavailable',
      message: 'not that one',
      faults: [{ pointer: 'SMOOTHCERT_DEVICES', detail: 'no' }],
      cause,
    });
  });

  test('is left as it is where it is about no setting', () => {
    const other = new DomainError('device_unavailable', undefined, [
      { pointer: 'CUDA_VISIBLE_DEVICES', detail: 'hides it' },
    ]);
    expect(nameVariables(other)).toMatchObject({ faults: other.faults });
    for (const error of [new DomainError('model_invalid', 'cut off'), new Error('a fault'), null]) {
      expect(nameVariables(error)).toBe(error);
    }
  });
});
