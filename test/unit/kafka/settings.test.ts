import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafka, type KafkaSettings } from '../../../src/kafka/kafkajs/client';
import { loadConfig } from '../../../src/shared/config/load';
import { kafkaVariables } from '../../../src/shared/config/variables';
import { UserError } from '../../../src/shared/lifecycle';
import { createAuthority } from '../../support/certificates';
import { silentLogger } from '../../support/logger';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const create = (settings: Partial<KafkaSettings>): unknown =>
  createKafka(
    { KAFKA_BOOTSTRAP_SERVERS: ['localhost:9092'], KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false, ...settings },
    silentLogger(),
  );

const login = { KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: 'secret' };

test.each<[string, Partial<KafkaSettings>, string]>([
  [
    'an authority without TLS',
    { KAFKA_SSL_CA_FILE: 'ca.pem' },
    'KAFKA_SSL_CA_FILE is set, but KAFKA_SSL is not true',
  ],
  [
    'a certificate without TLS',
    { KAFKA_SSL_CERT_FILE: 'a' },
    'KAFKA_SSL_CERT_FILE is set, but KAFKA_SSL is not true',
  ],
  ['a certificate without its key', { KAFKA_SSL: true, KAFKA_SSL_CERT_FILE: 'a' }, 'set both or neither'],
  ['a key without its certificate', { KAFKA_SSL: true, KAFKA_SSL_KEY_FILE: 'a' }, 'set both or neither'],
  [
    'a file that is not there',
    { KAFKA_SSL: true, KAFKA_SSL_CA_FILE: '/no/ca.pem' },
    'KAFKA_SSL_CA_FILE="/no/ca.pem" cannot be read: ENOENT',
  ],
  [
    'a file that is something else',
    { KAFKA_SSL: true, KAFKA_SSL_CA_FILE: __filename },
    'holds no certificate',
  ],
  [
    'a password without a mechanism',
    { KAFKA_SASL_PASSWORD: 'secret' },
    'KAFKA_SASL_PASSWORD is set, but KAFKA_SASL_MECHANISM is not',
  ],
  ['a user without a mechanism', login, 'KAFKA_SASL_USERNAME is set, but KAFKA_SASL_MECHANISM is not'],
  [
    'a mechanism without a password',
    { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'ada' },
    'needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
  ],
])('%s is refused by name, and no secret is shown', (_what, settings, message) => {
  expect(() => create(settings)).toThrow(UserError);
  expect(() => create(settings)).toThrow(message);
  expect(() => create(settings)).not.toThrow(/secret/);
});

test('a damaged certificate and a key that is not its own are refused by the names of the files', async () => {
  const [one, other] = await Promise.all([createAuthority('one'), createAuthority('other')]);
  const damaged = file('damaged.pem', one.cert.replace(/[A-Z]{3}/g, 'AAA'));
  expect(() => create({ KAFKA_SSL: true, KAFKA_SSL_CA_FILE: damaged })).toThrow(
    `KAFKA_SSL_CA_FILE="${damaged}"`,
  );
  const cert = file('one.pem', one.cert);
  const key = file('other.key', other.key);
  const pair = { KAFKA_SSL: true, KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: key };
  expect(() => create(pair)).toThrow(`KAFKA_SSL_KEY_FILE="${key}" cannot be used together`);
  expect(() => create({ ...pair, KAFKA_SSL_KEY_FILE: file('one.key', one.key) })).not.toThrow();
});

test('a mechanism may be written as Kafka writes it', () => {
  const { KAFKA_SASL_MECHANISM } = loadConfig(
    { KAFKA_SASL_MECHANISM: kafkaVariables.KAFKA_SASL_MECHANISM },
    { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' },
  );
  expect(KAFKA_SASL_MECHANISM).toBe('scram-sha-512');
});
