import type { Config } from '../config/config.ts';
import { readConfig } from '../config/env.ts';
import { DomainError } from '../errors.ts';

/** The option that overrides each variable. */
const OPTION_OF = {
  SMOOTHCERT_HOST: '--host',
  SMOOTHCERT_PORT: '--port',
  SMOOTHCERT_LANES: '--lanes',
  SMOOTHCERT_MODELS: '--model',
  SMOOTHCERT_MODELS_DIR: '--models',
  SMOOTHCERT_DATA_DIR: '--data',
} as const;

/** Options of the commands that start something. */
export interface SettingOptions {
  readonly host?: string;
  readonly port?: string;
  readonly lanes?: string;
  /** The only model to load. */
  readonly model?: string | undefined;
  readonly models?: string;
  readonly data?: string;
}

/**
 * The configuration: options before environment variables before defaults.
 *
 * @throws DomainError `config_invalid` with every fault, by the name of the option where it was given as one
 */
export function readSettings(
  options: SettingOptions,
  fixed: Readonly<Record<string, string>> = {},
  environment?: Readonly<Record<string, string | undefined>>,
): Config {
  const given: Record<string, string | undefined> = {
    SMOOTHCERT_HOST: options.host,
    SMOOTHCERT_PORT: options.port,
    SMOOTHCERT_LANES: options.lanes,
    SMOOTHCERT_MODELS: options.model,
    SMOOTHCERT_MODELS_DIR: options.models,
    SMOOTHCERT_DATA_DIR: options.data,
  };
  try {
    return readConfig({ ...fixed, ...definedOnly(given) }, environment);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const faults = error.faults.map(({ pointer, detail }) => ({
      pointer: given[pointer] === undefined ? pointer : OPTION_OF[pointer as keyof typeof OPTION_OF],
      detail,
    }));
    throw new DomainError(error.code, error.message, faults, { cause: error });
  }
}

function definedOnly(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
