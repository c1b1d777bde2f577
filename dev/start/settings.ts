import { type Environment, loadConfig } from '../../src/shared/config/load';
import { apiVariables } from '../../src/api/variables';
import { reminderVariables } from '../../src/healthcore/consumers/variables';
import { allVariables } from '../../src/shared/config/variables';
import { z } from 'zod';
import type { WantedPort } from './ports';

const port = z.coerce.number().int().min(1).max(65_535);

/** What only `npm start` reads. */
export const startVariables = {
  EMBEDDED_POSTGRES_PORT: port
    .default(54_329)
    .describe('Port of the Postgres that npm start brings along when DATABASE_URL is not set'),
  EMBEDDED_KAFKA_PORT: port
    .default(29_092)
    .describe('Port of the dev broker that npm start brings along when KAFKA_BOOTSTRAP_SERVERS is not set'),
  SIGNALBOX_DATA_DIR: z
    .string()
    .min(1)
    .default('.data')
    .describe('Where npm start keeps the data of its own servers, seen from the project'),
};

const variables = {
  ...apiVariables,
  ...allVariables,
  ...reminderVariables,
  ...startVariables,
  DATABASE_URL: allVariables.DATABASE_URL.optional(),
  KAFKA_BOOTSTRAP_SERVERS: allVariables.KAFKA_BOOTSTRAP_SERVERS.optional(),
  // Everybody's on this machine may use the embedded servers without a password, so the API stays on it as well.
  HOST: allVariables.HOST.default('127.0.0.1'),
};

export type Settings = ReturnType<typeof readSettings>;

/**
 * What all programs together will read, checked before any of them starts.
 * @throws ConfigError with all problems at once
 */
export function readSettings(environment: Environment) {
  return loadConfig(variables, environment);
}

/** Every port that is going to be listened on. */
export function wantedPorts(settings: Settings): WantedPort[] {
  const { HOST: host } = settings;
  const embedded = { host: '127.0.0.1' };
  return [
    ...(settings.DATABASE_URL === undefined
      ? [
          {
            ...embedded,
            port: settings.EMBEDDED_POSTGRES_PORT,
            user: 'Postgres',
            variable: 'EMBEDDED_POSTGRES_PORT',
          },
        ]
      : []),
    ...(settings.KAFKA_BOOTSTRAP_SERVERS === undefined
      ? [
          {
            ...embedded,
            port: settings.EMBEDDED_KAFKA_PORT,
            user: 'the dev broker',
            variable: 'EMBEDDED_KAFKA_PORT',
          },
        ]
      : []),
    { host, port: settings.PORT, user: 'the API', variable: 'PORT' },
    { host, port: settings.RELAY_PORT, user: 'the relay', variable: 'RELAY_PORT' },
    { host, port: settings.CONSUMERS_PORT, user: 'the consumers', variable: 'CONSUMERS_PORT' },
  ];
}
