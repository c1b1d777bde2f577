import { Client } from 'pg';
import type { Registry } from 'prom-client';
import supertest from 'supertest';
import { type AppDependencies, createApp } from '../../../src/api/app';
import { ApiServer } from '../../../src/api/server';
import { timeLimits } from '../../../src/api/timeLimits';
import { createCapturedClient } from '../../../src/healthcore/capturedClient';
import type { CaptureEngineName } from '../../../src/outbox/prisma/engineName';
import { createMetrics } from '../../../src/shared/metrics';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { type CapturedLog, captureLogger } from '../../support/logger';

export interface TestApi {
  readonly database: TestDatabase;
  /** For looking at tables without the API. */
  readonly sql: Client;
  readonly log: CapturedLog;
  readonly metrics: Registry;
  readonly http: ReturnType<typeof supertest>;
  readonly port: number;
  stop(): Promise<void>;
}

export interface TestApiOptions extends Partial<AppDependencies> {
  /** Turns the database's address into the one that the API uses, e.g. of a proxy. */
  readonly through?: (databaseUrl: string) => string;
  readonly engine?: CaptureEngineName;
  /** Time-outs of the database; those that main.ts derives from the deadline by default. */
  readonly databaseTimeouts?: object;
}

/** A request's deadline where a test is not about deadlines: not to be met on a machine that has much else to do. */
const patientMs = 45_000;

/** The API on a database of its own, wired as main.ts does it, listening on a free port. */
export async function startApi({
  through,
  engine = 'middleware',
  databaseTimeouts,
  ...overrides
}: TestApiOptions = {}): Promise<TestApi> {
  const database = await createTestDatabase();
  const log = captureLogger();
  const metrics = createMetrics('api');
  const requestTimeoutMs = overrides.requestTimeoutMs ?? patientMs;
  const prisma = await createCapturedClient(
    engine,
    {
      databaseUrl: through ? through(database.url) : database.url,
      poolSize: overrides.poolSize ?? 10,
      applicationName: 'test api',
      ...(databaseTimeouts ?? timeLimits(requestTimeoutMs)),
      logger: log.logger,
    },
    { source: 'test-api', logger: log.logger },
  );
  const app = createApp({
    prisma,
    logger: log.logger,
    metrics,
    readiness: [],
    bodyLimitBytes: 100_000,
    requestTimeoutMs,
    ...overrides,
  });
  const server = new ApiServer({
    app,
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 30_000,
    drainMs: 0,
    logger: log.logger,
  });
  await server.start();
  const port = server.port ?? 0;
  const sql = new Client({ connectionString: database.url });
  await sql.connect();
  const stop = async (): Promise<void> => {
    await server.stop();
    await prisma.$disconnect();
    await sql.end();
    await database.drop();
  };
  return { database, sql, log, metrics, http: supertest(`http://127.0.0.1:${port}`), port, stop };
}

let counter = 0;

/** A patient that no other call has made. */
export function aPatient(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  counter += 1;
  return { name: `Patient ${counter}`, email: `patient-${counter}@example.com`, ...overrides };
}

/** An hour of a practitioner whom no other call has asked for. */
export function anAppointment(patientId: string, overrides: Record<string, unknown> = {}) {
  counter += 1;
  return {
    patient_id: patientId,
    practitioner: `Dr ${counter}`,
    starts_at: '2031-05-05T10:00:00.000Z',
    ends_at: '2031-05-05T11:00:00.000Z',
    ...overrides,
  };
}

/** Registers a patient and answers its id. */
export async function registerPatient({ http }: TestApi): Promise<string> {
  const { body } = await http.post('/api/v1/patients').send(aPatient()).expect(201);
  return (body as { id: string }).id;
}

/** Books an appointment and answers it. */
export async function bookAppointment(
  api: TestApi,
  overrides: Record<string, unknown> = {},
): Promise<Record<string, string>> {
  const patient = (overrides['patient_id'] as string | undefined) ?? (await registerPatient(api));
  const { body } = await api.http
    .post('/api/v1/appointments')
    .send(anAppointment(patient, overrides))
    .expect(201);
  return body as Record<string, string>;
}
