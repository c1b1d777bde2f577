import { z } from 'zod';
import { port, whole } from 'signalbox/service';

/** What the API alone reads. */
export const apiVariables = {
  SERVICE_NAME: z
    .string()
    .min(1)
    .default('healthcore-api')
    .describe('metadata.source of the events that the API appends'),
  PORT: port.default(8000).describe('Port of the API'),
  API_BODY_LIMIT_BYTES: whole(1_024, 10_000_000).default(100_000).describe('Largest request body, in bytes'),
  API_REQUEST_TIMEOUT_MS: whole(1_000, 600_000)
    .default(15_000)
    .describe('Longest time a request may take to arrive, and again to be answered, in milliseconds'),
  API_WAITING_REQUESTS: whole(0, 100_000)
    .default(500)
    .describe(
      'Most requests that may wait for a database connection; any further one is answered 503 at once',
    ),
};
