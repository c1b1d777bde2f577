'use strict';
/**
 * The example in Python against the dev broker: duplicates, a kill -9, and messages that do not fit their schema.
 * Run after `npm run build`; needs Python 3.9 or newer with pip, which fetches what the example requires.
 */
const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { env: ownEnvironment } = require('node:process');
const { setTimeout: sleep } = require('node:timers/promises');
const { Kafka, logLevel } = require('kafkajs');
const pino = require('pino');
const { startDevBroker } = require('../dist/dev/broker/broker.js');

const example = path.join(__dirname, '../examples/python');
const topics = ['healthcore.appointment.booked', 'healthcore.dead_letter_queue'];
const deadlineMs = 120_000;

async function main() {
  const directory = mkdtempSync(path.join(tmpdir(), 'signalbox-python-'));
  const packages = path.join(directory, 'packages');
  const requirements = path.join(example, 'requirements.txt');
  execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', packages, '-r', requirements], {
    stdio: 'inherit',
  });
  const dataDir = path.join(directory, 'broker');
  const broker = await startDevBroker({ port: 0, dataDir, logger: pino({ level: 'silent' }) });
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  try {
    await check(kafka, {
      PYTHONPATH: packages,
      KAFKA_BOOTSTRAP_SERVERS: broker.address,
      BOOKINGS_DATABASE: path.join(directory, 'bookings.sqlite'),
    });
  } finally {
    await broker.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  process.stdout.write('the Python consumer counts each booking once, also through a kill -9\n');
}

async function check(kafka, env) {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 3 })) });
  const producer = kafka.producer();
  await producer.connect();
  const send = (...values) =>
    producer.send({
      topic: topics[0],
      messages: values.map((value) => ({
        key: randomUUID(),
        value: typeof value === 'string' ? value : JSON.stringify(value),
        headers: { event_type: 'appointment.booked' },
      })),
    });
  const events = Array.from({ length: 40 }, (_, index) => booked(index % 2 === 0 ? 'Dr Even' : 'Dr Odd'));
  const { practitioner: _, ...incomplete } = events[0].data;

  const first = start(env);
  await send(...events.slice(0, 20));
  await first.until((output) => matches(output, / counted$/gm) >= 5);
  first.child.kill('SIGKILL');
  await first.ended;

  // All over again, as after a relay's crash, with some that no consumer can read in between.
  await send(...events.slice(0, 20), 'no json', { ...events[0], data: incomplete }, ...events.slice(20));
  const second = start(env);
  const done = `${first.output()}\n`;
  await second.until(
    (output) => matches(output, / put aside: /g) === 2 && counts(env) === '{"Dr Even": 20, "Dr Odd": 20}',
  );
  await second.until((output) => matches(done + output, / known$/gm) >= 20);
  second.child.kill('SIGTERM');
  assert.deepEqual(await second.ended, { code: 0, signal: null });
  assert.equal(counts(env), '{"Dr Even": 20, "Dr Odd": 20}');

  const letters = await readAll(kafka, topics[1], 2);
  assert.deepEqual(letters.map(({ headers }) => String(headers['dlq.error.class'])).sort(), [
    'JSONDecodeError',
    'ValidationError',
  ]);
  assert.equal(String(letters[0].headers['event_type']), 'appointment.booked');
  await producer.disconnect();
  await admin.disconnect();
}

function booked(practitioner) {
  const id = randomUUID();
  const times = { starts_at: '2030-01-05T09:00:00.000Z', ends_at: '2030-01-05T09:30:00.000Z' };
  return {
    event_id: randomUUID(),
    event_type: 'appointment.booked',
    timestamp: '2026-01-05T19:00:00.000Z',
    data: { appointment_id: id, patient_id: randomUUID(), practitioner, ...times, status: 'BOOKED' },
    metadata: {
      source: 'ci',
      version: '1.0',
      aggregate_type: 'appointment',
      aggregate_id: id,
      sequence: '1',
      correlation_id: null,
      causation_id: null,
      actor: null,
      traceparent: null,
    },
  };
}

/** What the example has in its database, as JSON. */
function counts({ BOOKINGS_DATABASE }) {
  const program =
    'import json, sqlite3, sys; print(json.dumps(dict(sqlite3.connect(sys.argv[1]).execute(' +
    '"SELECT practitioner, count FROM bookings ORDER BY 1").fetchall())))';
  return execFileSync('python3', ['-c', program, BOOKINGS_DATABASE], { encoding: 'utf8' }).trim();
}

function start(env) {
  const child = spawn('python3', [path.join(example, 'bookings.py')], {
    env: { ...ownEnvironment, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const until = async (condition) => {
    for (const end = Date.now() + deadlineMs; !condition(output); await sleep(100)) {
      if (Date.now() > end) throw new Error(`Waited in vain; the example printed:\n${output}`);
    }
  };
  return { child, ended, until, output: () => output };
}

const matches = (text, pattern) => [...text.matchAll(pattern)].length;

async function readAll(kafka, topic, count) {
  const consumer = kafka.consumer({ groupId: randomUUID() });
  const messages = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer
      .run({
        eachMessage: async ({ message }) => void (messages.push(message) === count && resolve()),
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return messages;
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
