#!/usr/bin/env node
import { readConfig } from '../config/env.ts';
import { closeOnSignals } from '../lifecycle.ts';
import { createLogger } from '../logger.ts';
import { startStandalone } from './standalone.ts';
const config = readConfig();
const logger = createLogger(config.logLevel, 'smoothcert');
closeOnSignals(await startStandalone(config, logger), logger);
