import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/cli/settings.ts';
import { DomainError, type Fault } from '../../../src/errors.ts';

function faultsOf(action: () => unknown): readonly Fault[] {
  try {
    action();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'config_invalid') return error.faults;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('readSettings', () => {
  it('takes options before variables before defaults', () => {
    const environment = { SMOOTHCERT_PORT: '9000', SMOOTHCERT_HOST: '0.0.0.0' };
    const config = readSettings({ port: '9001', models: 'm', data: 'd', lanes: '3' }, {}, environment);
    expect(config).toMatchObject({
      port: 9001,
      host: '0.0.0.0',
      lanes: 3,
      modelsDirectory: resolve('m'),
      dataDirectory: resolve('d'),
      maxInputs: 1000,
    });
  });

  it('takes an option before what is fixed, and what is fixed before a variable', () => {
    const environment = { SMOOTHCERT_PORT: '9000', REDIS_URL: 'redis://shared:6379' };
    const config = readSettings({ port: '9001' }, { REDIS_URL: '', SMOOTHCERT_PORT: '1' }, environment);
    expect(config.redisUrl).toBeNull();
    expect(config.port).toBe(9001);
  });

  it('names a fault by the option where it was given as one', () => {
    const faults = faultsOf(() =>
      readSettings({ port: 'http' }, {}, { SMOOTHCERT_LANES: '0', SMOOTHCERT_LANE: '1' }),
    );
    expect(faults.map(({ pointer }) => pointer).sort()).toEqual([
      '--port',
      'SMOOTHCERT_LANE',
      'SMOOTHCERT_LANES',
    ]);
  });

  it('says what is allowed', () => {
    const [fault] = faultsOf(() => readSettings({ port: '70000' }, {}, {}));
    expect(fault?.detail).toContain('0 to 65535');
  });
});
