import { randomUUID } from 'node:crypto';
import accepts from '@fastify/accepts';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { ModelStore } from '../models/store.ts';
import type { JobService } from '../jobs/job-service.ts';
import type { Logger } from '../logger.ts';
import type { Software } from '../version.ts';
import { installBodyBudget } from './body-budget.ts';
import { describeMultipart } from './describe-multipart.ts';
import { answerFrameworkError, installErrorHandler } from './error-handler.ts';
import { namedComponents } from './named-components.ts';
import { installRequestChecks } from './request-checks.ts';
import { calculatorRoutes } from './routes/calculators.ts';
import { deviceRoutes } from './routes/devices.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { modelRoutes } from './routes/models.ts';
import { problemRoutes } from './routes/problems.ts';
import { resultRoutes } from './routes/results.ts';
import { KIND_NAMES, KINDS } from '../contract/kinds.ts';

export interface AppOptions {
  readonly jobs: JobService;
  readonly models: ModelStore;
  readonly logger: Logger;
  readonly software: Software;
  readonly maxInputs: number;
  readonly maxBodyBytes: number;
}

/** Builds the HTTP API; the caller listens and closes. Nothing here computes: requests are checked, stored, queued. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { jobs, models, logger, software, maxInputs, maxBodyBytes } = options;
  const app = fastify({
    loggerInstance: logger.child({ part: 'api' }) as unknown as FastifyBaseLogger,
    // A poll every second is not worth two lines in the log.
    logController: new LogController({ disableRequestLogging: !logger.isLevelEnabled('debug') }),
    bodyLimit: maxBodyBytes,
    genReqId: () => randomUUID(),
    // A slow or stalled client must not hold a connection for ever.
    requestTimeout: 120_000,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: answerFrameworkError,
  }).withTypeProvider<TypeBoxTypeProvider>();

  installErrorHandler(app, maxBodyBytes);
  installBodyBudget(app, maxBodyBytes);
  installRequestChecks(app);
  // The server speaks plain HTTP, behind a proxy or on loopback: telling browsers to ask for https would break /docs.
  const contentSecurityPolicy = { directives: { upgradeInsecureRequests: null } };
  await app.register(helmet, { contentSecurityPolicy, strictTransportSecurity: false });
  await app.register(accepts);
  await app.register(multipart, {
    limits: {
      fileSize: maxBodyBytes,
      fieldSize: 1024 * 1024,
      files: maxInputs,
      fields: 16,
      parts: maxInputs + 16,
      headerPairs: 64,
    },
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Smoothcert',
        version: software.version,
        description: 'Certified L2 radii for image classifiers by randomized smoothing.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      // None yet: a proxy that authenticates stands in front of it, or it listens on loopback.
      security: [],
      tags: [
        ...KIND_NAMES.map((kind) => ({ name: `${kind}s`, description: KINDS[kind].about })),
        { name: 'models', description: 'The base classifiers that the operator has registered.' },
        { name: 'calculators', description: 'Pure statistics: nothing is sampled and nothing stored.' },
        { name: 'operations', description: 'Health, devices, and what problems mean.' },
      ],
    },
    transform: describeMultipart,
    transformObject: namedComponents,
  });
  // The page loads nothing from elsewhere, and shows the document to no validator on the Internet.
  const staticCSP = {
    'default-src': "'self'",
    'base-uri': "'self'",
    'frame-ancestors': "'self'",
    'img-src': "'self' data:",
    'object-src': "'none'",
    // Swagger UI sets styles of its own elements.
    'style-src': "'self' 'unsafe-inline'",
  };
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP, uiConfig: { validatorUrl: null } });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  const limits = { maxInputs, maxBodyBytes };
  for (const kind of KIND_NAMES) {
    await app.register(jobRoutes, { kind, jobs, models, limits });
    await app.register(resultRoutes, { kind, jobs, models });
  }
  await app.register(modelRoutes, { models, jobs });
  await app.register(calculatorRoutes);
  await app.register(deviceRoutes, { jobs });
  await app.register(healthRoutes, { jobs });
  await app.register(problemRoutes);
  return app;
}
