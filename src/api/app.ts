import express, { type Express } from 'express';
import type { Registry } from 'prom-client';
import type { Logger } from '../shared/logger';
import type { ReadinessCheck } from '../shared/opsServer';
import { appointmentOperations } from './appointments/operations';
import { appointmentRoutes } from './appointments/routes';
import { AppointmentService } from './appointments/service';
import type { Database } from './database';
import { healthRoutes } from './health';
import { mountRoutes, type Route } from './http/routes';
import { deadline } from './middleware/deadline';
import { securityHeaders } from './middleware/headers';
import { jsonBody } from './middleware/jsonBody';
import { observe } from './middleware/observe';
import { problemHandler } from './middleware/problemHandler';
import { requestContext } from './middleware/requestContext';
import { documentationRoutes } from './openapi/docs';
import { openApiDocument } from './openapi/document';
import { patientOperations } from './patients/operations';
import { patientRoutes } from './patients/routes';
import { PatientService } from './patients/service';
import { unknownRoute } from './problems/requestErrors';

export interface AppDependencies {
  /** Prisma with capture: what the handlers write brings its events along. */
  readonly prisma: Database;
  readonly logger: Logger;
  /** The request figures are declared on it and /metrics shows it. */
  readonly metrics: Registry;
  readonly readiness: readonly ReadinessCheck[];
  /** Largest request body, in bytes. */
  readonly bodyLimitBytes: number;
  /** Longest time that a handler may take before 503 is answered in its stead, in milliseconds. */
  readonly requestTimeoutMs: number;
}

/**
 * The HealthCore API as an Express application. It never listens and starts nothing. It reaches Postgres through the
 * client it is given and nothing else: Kafka is the relay's matter.
 */
export function createApp(dependencies: AppDependencies): Express {
  const { logger, metrics, bodyLimitBytes, requestTimeoutMs } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.use(securityHeaders, observe({ logger, metrics }), requestContext);
  app.use(...jsonBody(bodyLimitBytes), deadline(requestTimeoutMs));
  mountRoutes(app, routesOf(dependencies));
  app.use(() => {
    throw unknownRoute();
  });
  app.use(problemHandler(logger));
  return app;
}

/** Every route of the API. */
export function routesOf({ prisma, metrics, readiness }: AppDependencies): Route[] {
  return [
    ...patientRoutes(new PatientService(prisma)),
    ...appointmentRoutes(new AppointmentService(prisma)),
    ...healthRoutes(metrics, readiness),
    ...documentationRoutes(openApiDocument([...patientOperations, ...appointmentOperations])),
  ];
}
