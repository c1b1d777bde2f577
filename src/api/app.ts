import type { RequestListener } from 'node:http';
import express, { type Request, type Response } from 'express';
import type { Registry } from 'prom-client';
import type { Logger, ReadinessCheck } from 'signalbox/service';
import { appointmentOperations } from './appointments/operations';
import { appointmentRoutes } from './appointments/routes';
import { AppointmentService } from './appointments/service';
import type { Database } from './database';
import { healthRoutes } from './health';
import { Admission, observeAdmission } from './http/admission';
import { createAnswerProblem } from './http/answerProblem';
import { parseQueryString } from './http/queryString';
import { mountRoutes, type Route } from './http/routes';
import { deadline } from './middleware/deadline';
import { securityHeaders } from './middleware/headers';
import { observe } from './middleware/observe';
import { requestBody } from './middleware/requestBody';
import { requestContext } from './middleware/requestContext';
import { documentationRoutes } from './openapi/docs';
import { openApiDocument } from './openapi/document';
import { patientOperations } from './patients/operations';
import { patientRoutes } from './patients/routes';
import { PatientService } from './patients/service';
import { unknownRoute } from './problems/requestErrors';
import { timeLimits } from './timeLimits';

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
  /** Connections that `prisma` may hold; 10 by default. Not more requests are served at a time. */
  readonly poolSize?: number;
  /** Most requests that may wait for their turn; 500 by default. */
  readonly waitingRequests?: number;
}

/**
 * The HealthCore API as a listener for an HTTP server. It never listens itself and starts nothing. It reaches Postgres
 * through the client it is given and nothing else: Kafka is the relay's matter.
 */
export function createApp(dependencies: AppDependencies): RequestListener {
  const { logger, metrics, bodyLimitBytes, requestTimeoutMs } = dependencies;
  const answerProblem = createAnswerProblem(logger, bodyLimitBytes);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.set('query parser', parseQueryString);
  app.use(securityHeaders, observe({ logger, metrics }), requestContext);
  app.use(requestBody(bodyLimitBytes), deadline(requestTimeoutMs, answerProblem));
  const admission = admissionOf(dependencies);
  observeAdmission(admission, metrics);
  mountRoutes(app, routesOf(dependencies, admission));
  return (incoming, outgoing) => {
    const [request, response] = [incoming as Request, outgoing as Response];
    // A stream that breaks, or is written to after its end, says so by an event, which unheard would end the process.
    response.on('error', (error) => logger.debug({ err: error }, 'an answer could not be sent'));
    app(request, response, (error?: unknown) => answerProblem(error ?? unknownRoute(), request, response));
  };
}

/** Longest waits follow from the deadline: see timeLimits.ts. */
function admissionOf({ poolSize = 10, waitingRequests = 500, requestTimeoutMs }: AppDependencies): Admission {
  return new Admission({ poolSize, waitingRequests, ...timeLimits(requestTimeoutMs) });
}

/** Every route of the API. */
export function routesOf(dependencies: AppDependencies, admission = admissionOf(dependencies)): Route[] {
  const { prisma, metrics, readiness, requestTimeoutMs } = dependencies;
  const patients = admission.guard('patients', new PatientService(prisma));
  const appointments = admission.guard(
    'appointments',
    new AppointmentService(prisma, { maxWait: requestTimeoutMs, timeout: requestTimeoutMs }),
  );
  return [
    ...patientRoutes(patients),
    ...appointmentRoutes(appointments),
    ...healthRoutes(metrics, readiness),
    ...documentationRoutes(openApiDocument([...patientOperations, ...appointmentOperations])),
  ];
}
