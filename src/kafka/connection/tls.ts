import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { UserError } from '../../shared/lifecycle';

/** The variables that TLS depends on. */
export interface TlsSettings {
  readonly KAFKA_SSL: boolean;
  readonly KAFKA_SSL_CA_FILE?: string | undefined;
  readonly KAFKA_SSL_CERT_FILE?: string | undefined;
  readonly KAFKA_SSL_KEY_FILE?: string | undefined;
}

type FileVariable = Exclude<keyof TlsSettings, 'KAFKA_SSL'>;
const files = ['KAFKA_SSL_CA_FILE', 'KAFKA_SSL_CERT_FILE', 'KAFKA_SSL_KEY_FILE'] as const;

/**
 * How to connect with TLS; false without.
 * @throws UserError when the variables contradict each other, or a file cannot be read or is not what it should be.
 */
export function tlsOptions(settings: TlsSettings): ConnectionOptions | false {
  const given = files.find((name) => settings[name] !== undefined);
  if (!settings.KAFKA_SSL) {
    if (given === undefined) return false;
    throw new UserError(`${given} is set, but KAFKA_SSL is not true: set it too, or unset ${given}.`);
  }
  const { KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: key } = settings;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UserError('KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE belong together: set both or neither.');
  }
  const pair = cert === undefined ? {} : pairOf(settings);
  return { ...(settings.KAFKA_SSL_CA_FILE === undefined ? {} : authorityOf(settings)), ...pair };
}

function authorityOf(settings: TlsSettings): ConnectionOptions {
  const ca = read(settings, 'KAFKA_SSL_CA_FILE');
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new UserError(
      `KAFKA_SSL_CA_FILE="${settings.KAFKA_SSL_CA_FILE}" holds no certificate; expected a PEM file.`,
    );
  }
  try {
    createSecureContext({ ca });
  } catch (error) {
    throw unusable(`KAFKA_SSL_CA_FILE="${settings.KAFKA_SSL_CA_FILE}" cannot be used`, error);
  }
  return { ca };
}

function pairOf(settings: TlsSettings): ConnectionOptions {
  const pair = { cert: read(settings, 'KAFKA_SSL_CERT_FILE'), key: read(settings, 'KAFKA_SSL_KEY_FILE') };
  try {
    createSecureContext(pair);
  } catch (error) {
    const names = `KAFKA_SSL_CERT_FILE="${settings.KAFKA_SSL_CERT_FILE}" and KAFKA_SSL_KEY_FILE="${settings.KAFKA_SSL_KEY_FILE}"`;
    throw unusable(`${names} cannot be used together`, error);
  }
  return pair;
}

function unusable(what: string, error: unknown): UserError {
  return new UserError(`${what}: ${(error as Error).message}`, { cause: error });
}

function read(settings: TlsSettings, name: FileVariable): string {
  const path = settings[name] ?? '';
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(`${name}="${path}" cannot be read`, error);
  }
}
