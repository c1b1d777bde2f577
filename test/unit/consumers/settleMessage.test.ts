/** What becomes of a message that cannot be processed when its dead letter cannot be written either. */
import { EventEmitter, once } from 'node:events';
import { Registry } from 'prom-client';
import { AttemptsByPartition } from '../../../src/consumers/attempts';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { settleMessage, type SettleDependencies } from '../../../src/consumers/settleMessage';
import type { DeadLetter } from '../../../src/kafka/deadLetters/deadLetter';
import { replayHeaders } from '../../../src/kafka/deadLetters/replay';
import { rawMessage } from '../../support/events';
import { silentLogger } from '../../support/logger';
import { catalogue } from '../../../src/healthcore/catalogue';

const message = rawMessage('test.patient.created', 'no json');
const { signal } = new AbortController();

function setup(publishDeadLetter: SettleDependencies['publishDeadLetter']) {
  const registry = new Registry();
  const attempts = new AttemptsByPartition();
  const notUsed = async (): Promise<never> => {
    throw new Error('the database has nothing to do with this message');
  };
  const dependencies: SettleDependencies = {
    consumer: 'test',
    group: 'group',
    handlers: {},
    catalogue,
    topicPrefix: 'test',
    database: { $transaction: notUsed, $queryRawUnsafe: notUsed },
    logger: silentLogger(),
    handlerTimeoutMs: 1_000,
    policy: { retryLimit: 3, retryMaxMs: 1_000 },
    attempts,
    publishDeadLetter,
    metrics: createConsumerMetrics(registry),
  };
  const counted = async (): Promise<string[]> =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => /^signalbox_consumer_(events|retries)_total\{/.test(line));
  return { attempts, dependencies, counted };
}

test('a dead letter that could not be written does not count as done: the message is offered again, with growing pauses', async () => {
  const letters: DeadLetter[] = [];
  const { attempts, dependencies, counted } = setup(async (letter) => {
    letters.push(letter);
    if (letters.length < 6) throw new Error('not written');
  });
  const pauses: number[] = [];
  for (let failures = 1; failures <= 5; failures += 1) {
    const verdict = await settleMessage(message, dependencies, signal);
    expect(verdict.kind).toBe('again');
    if (verdict.kind === 'again') pauses.push(verdict.afterMs);
    expect(attempts.blocked()).toEqual(['test.patient.created/0']);
  }
  expect(pauses.every((ms) => ms > 0 && ms <= 1_000)).toBe(true);
  expect(pauses[4]).toBeGreaterThan(pauses[0] ?? 0);
  expect(await counted()).toEqual([
    'signalbox_consumer_retries_total{consumer="test",event_type="patient.created",reason="own"} 5',
  ]);
  expect(await settleMessage(message, dependencies, signal)).toEqual({ kind: 'done' });
  expect(attempts.blocked()).toEqual([]);
  expect(await counted()).toContain(
    'signalbox_consumer_events_total{consumer="test",event_type="patient.created",outcome="dead_letter"} 1',
  );
  expect(letters).toHaveLength(6);
  expect(letters.map(({ attempts, reason }) => ({ attempts, reason }))).toEqual(
    Array.from({ length: 6 }, () => ({ attempts: 1, reason: 'the value is not JSON' })),
  );
});

test('a message is done with only when its dead letter is safe', async () => {
  const moment = new EventEmitter();
  const { dependencies } = setup(async () => void (await once(moment, 'safe')));
  let settled = false;
  const verdict = settleMessage(message, dependencies, signal).finally(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(false);
  moment.emit('safe');
  expect(await verdict).toEqual({ kind: 'done' });
});

test('a consumer that stops does not wait for a dead-letter topic that does not answer, and keeps its offset', async () => {
  const stopping = new AbortController();
  const { dependencies } = setup(() => new Promise<void>(() => undefined));
  const verdict = settleMessage(message, dependencies, stopping.signal);
  stopping.abort();
  expect(await verdict).toMatchObject({ kind: 'again' });
  expect(await settleMessage(message, dependencies, stopping.signal)).toMatchObject({ kind: 'again' });
});

test('an operator’s replay for another group is passed over, and one for this group is not', async () => {
  const letters: DeadLetter[] = [];
  const { dependencies } = setup(async (letter) => void letters.push(letter));
  const replayFor = (group: string) => ({
    ...message,
    headers: { [replayHeaders.group]: Buffer.from(group) },
  });
  expect(await settleMessage(replayFor('other'), dependencies, signal)).toEqual({ kind: 'done' });
  expect(letters).toEqual([]);
  await settleMessage(replayFor('group'), dependencies, signal);
  expect(letters).toHaveLength(1);
});
