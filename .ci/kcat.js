'use strict';
/**
 * Another client's view of the dev broker: what kafkajs writes, kcat (librdkafka) must read, keys and headers included.
 * Run after `npm run build`; needs kcat on the PATH.
 */
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { Kafka, logLevel } = require('kafkajs');
const pino = require('pino');
const { startDevBroker } = require('../dist/dev/broker/broker.js');

const topic = 'healthcore.patient.created';
const message = {
  key: 'patient-1',
  value: '{"event_type":"patient.created"}',
  headers: { event_type: 'patient.created', event_version: '1.0' },
};

async function main() {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'signalbox-kcat-'));
  const broker = await startDevBroker({ port: 0, dataDir, logger: pino({ level: 'silent' }) });
  try {
    await produce(broker.address);
    const kcat = (...args) => runKcat(broker.address, args);
    assert.match(await kcat('-L'), /topic "healthcore.patient.created" with 1 partitions/);
    const read = await kcat('-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k|%h|%s\n');
    assert.equal(
      read,
      'patient-1|event_type=patient.created,event_version=1.0|{"event_type":"patient.created"}\n',
    );
    process.stdout.write('kcat lists the topic and reads its message with key and headers\n');
  } finally {
    await broker.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function produce(address) {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [message] });
  await producer.disconnect();
}

/** The broker lives in this process, so nothing may block it while kcat runs. */
function runKcat(address, args) {
  return new Promise((resolve, reject) => {
    execFile('kcat', ['-b', address, ...args], { timeout: 30_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`kcat ${args[0]} failed: ${stderr}`, { cause: error })) : resolve(stdout),
    );
  });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
