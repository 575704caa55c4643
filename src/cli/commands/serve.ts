import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { DomainError } from '../../errors.ts';
import { closeOnSignals, type Running } from '../../lifecycle.ts';
import { createLogger, type Logger } from '../../logger.ts';
import type { CommandContext } from '../command-context.ts';
import { readSettings, type SettingOptions } from '../settings.ts';
import type { Service } from '../starters.ts';
import { writeLine } from '../terminal.ts';

const OPTIONS = {
  host: ['--host <address>', 'address to listen on (SMOOTHCERT_HOST)'],
  port: ['--port <port>', 'port to listen on, 0 for a free one (SMOOTHCERT_PORT)'],
  lanes: ['--lanes <count>', 'lanes of each device (SMOOTHCERT_LANES)'],
  models: ['--models <dir>', 'folder of the models (SMOOTHCERT_MODELS_DIR)'],
  data: ['--data <dir>', "the embedded Redis server's data (SMOOTHCERT_DATA_DIR)"],
} as const;

const REDIS_DETAIL =
  'is required by this command: the redis://, rediss:// or unix:// URL that API and workers share; ' +
  '`smoothcert serve` starts a Redis server itself';

/** `smoothcert serve`, `api` and `worker`: the processes that run until they are told to end. */
export function addServeCommands(program: Command, { starters, terminal }: CommandContext): void {
  const listening = ({ url }: Service): string => `Smoothcert listens on ${url}  (docs: ${url}/docs)`;

  add(program, 'serve', ['host', 'port', 'lanes', 'models', 'data'])
    .summary('run everything in one process: API, worker and Redis')
    .description('Runs the API, a worker and, unless REDIS_URL names one, a Redis server.')
    .addHelpText('after', '\nExample:\n  $ smoothcert serve --port 8080 --models ./models')
    .action((options: SettingOptions) =>
      run(options, async (config, logger) => {
        const service = await starters.startStandalone(config, logger);
        writeLine(terminal.stdout, listening(service));
        return service;
      }),
    );

  add(program, 'api', ['host', 'port', 'models'])
    .summary('run the HTTP API alone; needs REDIS_URL')
    .description('Runs the HTTP API; workers elsewhere share its Redis.')
    .addHelpText(
      'after',
      '\nExample:\n  $ REDIS_URL=redis://queue.example:6379 smoothcert api --host 0.0.0.0',
    )
    .action((options: SettingOptions) =>
      run(options, async (config, logger) => {
        const service = await starters.startApi(config, requireRedis(config), logger);
        writeLine(terminal.stdout, listening(service));
        return service;
      }),
    );

  add(program, 'worker', ['lanes', 'models'])
    .summary('run a worker alone; needs REDIS_URL')
    .description('Runs a worker that takes jobs from Redis.')
    .addHelpText('after', '\nExample:\n  $ REDIS_URL=redis://queue.example:6379 smoothcert worker --lanes 8')
    .action((options: SettingOptions) =>
      run(options, async (config, logger) => {
        const worker = await starters.startWorker(config, requireRedis(config), logger);
        writeLine(terminal.stdout, 'Smoothcert worker takes jobs');
        return worker;
      }),
    );
}

function add(program: Command, name: string, options: readonly (keyof typeof OPTIONS)[]): Command {
  const command = program.command(name);
  for (const option of options) {
    const [flags, description] = OPTIONS[option];
    command.option(flags, description);
  }
  return command;
}

async function run(
  options: SettingOptions,
  start: (config: Config, logger: Logger) => Promise<Running>,
): Promise<void> {
  const config = readSettings(options);
  const logger = createLogger(config.logLevel, 'smoothcert');
  closeOnSignals(await start(config, logger), logger);
}

function requireRedis({ redisUrl }: Config): string {
  if (redisUrl !== null) return redisUrl;
  throw new DomainError('config_invalid', undefined, [{ pointer: 'REDIS_URL', detail: REDIS_DETAIL }]);
}
