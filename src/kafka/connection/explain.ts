/* What a failure of kafkajs means: its own words, those of the connection, and whether waiting can help. */
import type { KafkaClient } from '../ports';
import { errorTypes, fatalType } from '../errorTypes';
import type { SendFailure } from '../sendFailure';
import type { Connections } from './connections';
import { describeTrouble } from './trouble';

/** Why Kafka could not be used, for people and for programs. */
export interface Explanation {
  /** Whether waiting cannot help. */
  readonly fatal: boolean;
  /** Short and of few values: fit for a metric. */
  readonly type: string;
  /** Without a full stop. */
  readonly words: string;
}

interface Client {
  readonly connections: Connections;
  /** Whom Kafka takes us for; undefined without SASL. */
  readonly account: string | undefined;
}

const clients = new WeakMap<KafkaClient, Client>();

/** Makes a client's connections known to `explain`. */
export function rememberClient(kafka: KafkaClient, client: Client): void {
  clients.set(kafka, client);
}

/** Resolves when the reasons of failures so far are known; for a command that does not try again. */
export async function reasonsKnown(kafka: KafkaClient): Promise<void> {
  await clients.get(kafka)?.connections.reasonsKnown();
}

/** Errors that say no more than that there is no connection. */
const connectionLost = [
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
];

const rights: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'may not use a topic: it lacks a right on it (Describe, Read or Write)',
  GROUP_AUTHORIZATION_FAILED: 'may not use the group: it lacks the right Read (or Describe) on it',
  CLUSTER_AUTHORIZATION_FAILED: 'may not do this to the cluster: it lacks a right on it',
};

/** What the error means, as far as the client and its connections know. */
export function explain(kafka: KafkaClient, error: unknown): Explanation {
  const types = errorTypes(error);
  const client = clients.get(kafka);
  const silent = silentBroker(error);
  if (silent !== undefined) client?.connections.reportSilence(silent);
  const refused = fatalType(error);
  if (refused) return { fatal: true, type: refused, words: refusalOf(refused, error, client) };
  const trouble = client?.connections.trouble;
  if (client && trouble && types.some((type) => connectionLost.includes(type))) {
    const fatal = trouble.permanent && !client.connections.worked;
    return { fatal, type: trouble.type, words: describeTrouble(trouble) };
  }
  return { fatal: false, type: types.at(-1) ?? 'unknown', words: wordsOf(error) };
}

/** The broker that did not answer a request in time, if that is what failed. */
function silentBroker(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 10; depth += 1) {
    const { broker, cause, originalError } = current as Record<string, unknown> & Error;
    if (current.name === 'KafkaJSRequestTimeoutError' && typeof broker === 'string') return broker;
    current = cause ?? originalError;
  }
  return undefined;
}

function refusalOf(type: string, error: unknown, client: Client | undefined): string {
  const account = client?.account === undefined ? 'this client' : `the account "${client.account}"`;
  const right = rights[type];
  if (right) return `${account} ${right} (${type})`;
  if (type === 'ILLEGAL_SASL_STATE' || type === 'KafkaJSServerDoesNotSupportApiKey') {
    return `the broker asks for no SASL on this port. Unset KAFKA_SASL_MECHANISM, or use the port of its SASL listener (${type})`;
  }
  return `it refuses ${account}: ${wordsOf(error)}. Correct the KAFKA_SASL_* variables`;
}

/** The innermost message: the others say how often it was tried. */
function wordsOf(error: unknown): string {
  let words = 'failed';
  for (let current = error, depth = 0; current instanceof Error && depth < 10; depth += 1) {
    if (current.message !== '') words = current.message;
    const { cause, originalError } = current as { cause?: unknown; originalError?: unknown };
    current = cause ?? originalError;
  }
  return words.replace(/\.$/, '');
}

/** A failure with what is known about its reason; one that waiting cannot help is fatal. */
export function explainFailure(kafka: KafkaClient, failure: SendFailure, error: unknown): SendFailure {
  if (failure.kind === 'poison') return failure;
  const { fatal, type, words } = explain(kafka, error);
  return fatal && failure.kind === 'retryable' ? { kind: 'fatal', type, words } : { ...failure, words };
}
