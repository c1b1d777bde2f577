import type { Pool } from 'pg';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { ensureTopics } from '../../../src/kafka/topics/topics';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { numberedData } from '../../support/events';
import { deleteTopics, kafkaBrokers, readAll, testKafka } from '../../support/kafka';
import { killPrograms, spawnSignalbox } from '../../support/process';
import {
  append,
  poolOf,
  RecordingPublisher,
  type Stepped,
  type SteppedOptions,
  steppedRelay,
} from '../relay/harness';
import { kafkaEnv, newPrefix, ops, type Result } from './support';
import { catalogue } from '../../../src/healthcore/catalogue';

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
});

afterEach(async () => {
  await killPrograms();
  await pool.end();
  await database.drop();
});

const outbox = (...args: string[]): Promise<Result> => ops({ DATABASE_URL: database.url }, 'outbox', ...args);

async function relay(options: SteppedOptions = {}): Promise<Stepped> {
  const stepped = steppedRelay(pool, options);
  await stepped.leases.renew();
  return stepped;
}

/** A relay whose Kafka refuses what these keys carry. */
async function refusing(...keys: string[]): Promise<Stepped> {
  const publisher = new RecordingPublisher();
  publisher.answer = (messages) =>
    messages.some(({ key }) => keys.includes(key))
      ? { kind: 'poison', type: 'INVALID_RECORD', reason: 'refused' }
      : { kind: 'sent' };
  return relay({ publisher, instance: 'relay-a' });
}

async function idOf(n: number): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT event_id::text AS id FROM signalbox.outbox WHERE data->>'n' = $1 ORDER BY position LIMIT 1`,
    [String(n)],
  );
  return rows[0]?.id ?? '';
}

async function setAside(): Promise<string[]> {
  const { rows } = await pool.query<{ label: string }>(
    `SELECT format('%s:%s %s', o.aggregate_id, o.data->>'n', p.state) AS label
     FROM signalbox.parked_event p JOIN signalbox.outbox o USING (lane, position) ORDER BY position`,
  );
  return rows.map(({ label }) => label);
}

describe('ops outbox status', () => {
  interface Status {
    waiting: number;
    parked: number;
    lanes: { owner: string | null; waiting: number }[];
    warnings: string[];
  }

  it('is content with a relay that owns all lanes and has published everything', async () => {
    const stepped = await relay({ instance: 'relay-a' });
    await append(pool, 'a', 1);
    await stepped.drain();
    const text = await outbox('status');
    expect(text.code).toBe(0);
    expect(text.output).toMatch(/LANE +OWNER/);
    expect(text.output).toContain('0 events wait; 0 parked, 0 held. Relays: relay-a.');
    const status = (await outbox('status', '--json')).json() as Status;
    expect(status).toMatchObject({ waiting: 0, parked: 0, warnings: [] });
    expect(status.lanes).toHaveLength(16);
    expect(status.lanes.every(({ owner }) => owner === 'relay-a')).toBe(true);
  });

  it('exits with 2 and says so when nobody publishes, when events are old, and when some are parked', async () => {
    const stepped = await refusing('bad');
    await append(pool, 'bad', 1);
    await stepped.drain();
    await stepped.leases.releaseAll();
    await append(pool, 'a', 1);
    await pool.query(`UPDATE signalbox.outbox SET occurred_at = occurred_at - interval '1 hour'`);
    const { code, output } = await outbox('status');
    expect(code).toBe(2);
    expect(output).toContain('! No relay is alive');
    expect(output).toContain('! The oldest event has waited for 60 min');
    expect(output).toContain('! 1 event parked');
    const patient = (await outbox('status', '--max-age', '7200', '--json')).json() as Status;
    expect(patient.warnings).toHaveLength(2);
    expect(patient.waiting).toBe(1);
  });

  it('warns of cursors of another cluster', async () => {
    await relay();
    await pool.query('UPDATE signalbox.cluster SET system_identifier = 1');
    const { code, output } = await outbox('status');
    expect(code).toBe(2);
    expect(output).toContain('outbox repair');
  });
});

describe('ops outbox tail', () => {
  it('shows the newest events, and their data only when asked', async () => {
    for (let n = 1; n <= 5; n += 1) await append(pool, `k${n}`, n);
    const { code, output } = await outbox('tail', '--lines', '2');
    expect(code).toBe(0);
    expect(output).toContain('patient/k4');
    expect(output).toContain('patient/k5');
    expect(output).not.toContain('k3');
    expect(output).not.toContain('"n"');
    const line = (await outbox('tail', '--lines', '1', '--json', '--data')).json() as { data: unknown };
    expect(line).toMatchObject({ aggregate_id: 'k5', event_type: 'patient.updated', data: { n: 5 } });
  });

  it('follows what is committed, late commits included, by key, each once', async () => {
    await append(pool, 'a', 1);
    const program = await spawnSignalbox('ops', {
      args: ['outbox', 'tail', '--follow', '--json', '--data', '--key', 'a'],
      env: { DATABASE_URL: database.url },
    });
    await program.waitForLine('"n":1');
    const late = await pool.connect();
    await late.query('BEGIN');
    await append(late, 'a', 2);
    await append(pool, 'b', 3);
    await append(pool, 'a', 4);
    await program.waitForLine('"n":4');
    await late.query('COMMIT');
    late.release();
    await program.waitForLine('"n":2');
    await append(pool, 'a', 5);
    await program.waitForLine('"n":5');
    expect(await program.kill('SIGINT')).toEqual({ code: 0, signal: null });
    const seen = [...program.output().matchAll(/"n":(\d)/g)].map(([, n]) => Number(n));
    expect(seen).toEqual([1, 4, 2, 5]);
  });
});

describe('ops outbox show', () => {
  it('tells of an event by id or sequence what became of it, with the envelope as Kafka gets it', async () => {
    const stepped = await refusing('bad');
    await append(pool, 'a', 1);
    await append(pool, 'bad', 2);
    await append(pool, 'bad', 3);
    await stepped.drain();
    await append(pool, 'a', 4);
    const states = [];
    for (const n of [1, 2, 3, 4]) {
      const shown = (await outbox('show', await idOf(n), '--json')).json() as {
        state: string;
        envelope: { data: { n: number } };
      };
      expect(shown.envelope.data.n).toBe(n);
      states.push(shown.state);
    }
    expect(states).toEqual(['published', 'parked', 'held', 'waiting']);
    const { rows } = await pool.query<{ position: string }>(
      'SELECT max(position)::text AS position FROM signalbox.outbox',
    );
    const text = await outbox('show', rows[0]?.position ?? '');
    expect(text.output).toContain('state      waiting');
    expect((await outbox('show', await idOf(2))).output).toContain('refused: Kafka refuses the message');
  });

  it('says in one line that there is none', async () => {
    const { code, output } = await outbox('show', '550e8400-e29b-41d4-a716-446655440000');
    expect(code).toBe(1);
    expect(output).toContain('The outbox has no event');
    expect(output).not.toContain('    at ');
    expect((await outbox('show', 'nonsense')).output).toContain('is not an event. Give an event_id');
  });
});

describe('ops outbox parked', () => {
  /** bad:1 is parked, bad:2 and bad:3 are held behind it; worse:4 is parked. */
  async function park(): Promise<Stepped> {
    const stepped = await refusing('bad', 'worse');
    for (let n = 1; n <= 3; n += 1) await append(pool, 'bad', n);
    await append(pool, 'worse', 4, { eventType: 'patient.created' });
    await stepped.drain();
    return stepped;
  }

  it('lists why, since when, and how many are behind', async () => {
    await park();
    const { parked } = (await outbox('parked', 'list', '--json')).json() as { parked: object[] };
    expect(parked).toEqual([
      expect.objectContaining({ aggregateId: 'bad', reason: 'refused', attempts: 1, behind: 2 }),
      expect.objectContaining({ aggregateId: 'worse', eventType: 'patient.created', behind: 0 }),
    ]);
    const text = await outbox('parked', 'list', '--type', 'patient.created');
    expect(text.output).toContain('patient/worse');
    expect(text.output).not.toContain('patient/bad');
  });

  it('retries what is named and nothing else, and only with --execute', async () => {
    await park();
    const dry = await outbox('parked', 'retry', await idOf(1));
    expect(dry.code).toBe(0);
    expect(dry.output).toContain('1 event would be tried again. Nothing was changed');
    expect(await setAside()).toEqual(['bad:1 parked', 'bad:2 held', 'bad:3 held', 'worse:4 parked']);
    const real = await outbox('parked', 'retry', await idOf(1), '--execute');
    expect(real.code).toBe(0);
    expect(await setAside()).toEqual(['bad:1 held', 'bad:2 held', 'bad:3 held', 'worse:4 parked']);
  });

  it('discards what is named, says what is lost, and lets the rest go on', async () => {
    await park();
    const dry = await outbox('parked', 'discard', '--type', 'patient.updated');
    expect(dry.output).toContain('no consumer would ever get them. 2 held behind them would go on');
    expect(await setAside()).toHaveLength(4);
    await outbox('parked', 'discard', '--type', 'patient.updated', '--execute');
    expect(await setAside()).toEqual(['bad:2 held', 'bad:3 held', 'worse:4 parked']);
  });

  it('wants to be told which', async () => {
    await park();
    for (const action of ['retry', 'discard']) {
      const { code, output } = await outbox('parked', action, '--execute');
      expect(code).toBe(1);
      expect(output).toContain('Say which');
    }
    expect((await outbox('parked', 'retry', '550e8400-e29b-41d4-a716-446655440000', '--execute')).code).toBe(
      1,
    );
    expect(await setAside()).toHaveLength(4);
  });
});

describe('ops outbox replay', () => {
  let prefix: string;

  beforeEach(async () => {
    prefix = newPrefix();
    await ensureTopics(testKafka(), catalogue, {
      KAFKA_TOPIC_PREFIX: prefix,
      KAFKA_TOPIC_PARTITIONS: 1,
      KAFKA_REPLICATION_FACTOR: 1,
      KAFKA_TOPIC_RETENTION_MS: 600_000,
      KAFKA_CREATE_TOPICS: true,
    });
  });

  afterEach(() => deleteTopics(...declaredTopics(catalogue, prefix)));

  const replay = (...args: string[]): Promise<Result> =>
    ops({ DATABASE_URL: database.url, ...kafkaEnv(prefix) }, 'outbox', 'replay', ...args);

  async function arrived(): Promise<{ n: number; headers: Readonly<Record<string, string>> }[]> {
    const messages = await readAll(`${prefix}.patient.updated`);
    return messages.map(({ value, headers }) => ({
      n: (JSON.parse(value ?? '') as { data: { n: number } }).data.n,
      headers,
    }));
  }

  const cursors = async (): Promise<unknown> =>
    (
      await pool.query(
        'SELECT lane, done_snapshot::text, last_position, epoch FROM signalbox.lane ORDER BY lane',
      )
    ).rows;

  it('is a dry run that says how many of which types, unless told to execute', async () => {
    const stepped = await relay();
    for (let n = 1; n <= 3; n += 1) await append(pool, 'a', n);
    await append(pool, 'b', 4, { eventType: 'patient.created' });
    await stepped.drain();
    await append(pool, 'a', 5);
    const { code, output } = await replay('--all');
    expect(code).toBe(0);
    expect(output).toMatch(/patient\.created +1 /);
    expect(output).toMatch(/patient\.updated +3 /);
    expect(output).toContain('4 events would be published again. Nothing was sent');
    expect(await arrived()).toEqual([]);
  });

  it('publishes again in order, marked as a replay, over all lanes, and moves no cursor', async () => {
    const stepped = await relay({ limits: { rows: 50 } });
    for (let n = 1; n <= 700; n += 1) await append(pool, `k${n % 7}`, n);
    await stepped.drain();
    await append(pool, 'k1', 701);
    const before = await cursors();
    const result = await replay('--type', 'patient.updated', '--execute', '--json');
    expect(result.code).toBe(0);
    const { replayId, published } = result.json() as { replayId: string; published: number };
    expect(published).toBe(700);
    const messages = await arrived();
    expect(messages.map(({ n }) => n)).toEqual(Array.from({ length: 700 }, (_none, index) => index + 1));
    for (const { headers } of messages) {
      expect(headers).toMatchObject({ 'replay.id': replayId, event_type: 'patient.updated' });
      expect(Date.parse(headers['replay.at'] ?? '')).toBeGreaterThan(0);
    }
    expect(await cursors()).toEqual(before);
    expect(result.output).not.toContain('[#');
  });

  it('leaves alone what is parked, held, or not published', async () => {
    const stepped = await refusing('bad');
    await append(pool, 'a', 1);
    await append(pool, 'bad', 2);
    await append(pool, 'bad', 3);
    await stepped.drain();
    const late = await pool.connect();
    await late.query('BEGIN');
    await append(late, 'c', 4);
    await append(pool, 'a', 5);
    await stepped.drain();
    await late.query('COMMIT');
    late.release();
    expect((await replay('--all', '--execute')).code).toBe(0);
    expect((await arrived()).map(({ n }) => n)).toEqual([1, 5]);
  });

  it('takes ids, sequences, an aggregate, a time, and goes on after a sequence', async () => {
    const stepped = await relay();
    for (let n = 1; n <= 6; n += 1) await append(pool, n % 2 === 0 ? 'even' : 'odd', n);
    await stepped.drain();
    await pool.query(
      `UPDATE signalbox.outbox SET occurred_at = occurred_at - interval '1 day' WHERE data->>'n' < '3'`,
    );
    const { rows } = await pool.query<{ position: string }>(
      'SELECT position::text FROM signalbox.outbox ORDER BY position',
    );
    const position = (n: number): string => rows[n - 1]?.position ?? '';
    const total = async (...args: string[]): Promise<number> =>
      ((await replay(...args, '--json')).json() as { total: number }).total;
    expect(await total(await idOf(1), position(4))).toBe(2);
    expect(await total('--aggregate', 'patient/even')).toBe(3);
    expect(await total('--since', '1h')).toBe(4);
    expect(await total('--until', '1h')).toBe(2);
    expect(await total('--aggregate', 'patient/even', '--since', '1h')).toBe(2);
    expect(await total('--all', '--after', position(5))).toBe(1);
    expect(await total('--type', 'patient.deleted')).toBe(0);
  });

  it.each([
    [[], 'Say what'],
    [['--type', 'patient.unheard_of'], 'is not an event type of the catalogue'],
    [['--aggregate', 'patient'], 'names none'],
    [['--all', '--until', 'soon'], 'Give 30s, 10m, 2h, 3d or a date'],
  ])('refuses %j in one line', async (args, message) => {
    const { code, output } = await replay(...args);
    expect(code).toBe(1);
    expect(output).toContain(message);
    expect(output).not.toContain('    at ');
  });

  it('says which events Kafka cannot take, sends the others, and exits with 1', async () => {
    const stepped = await relay();
    await append(pool, 'a', 1);
    await append(pool, 'a', 2, { padding: 3_000 });
    await append(pool, 'a', 3);
    await stepped.drain();
    const { code, output } = await ops(
      { DATABASE_URL: database.url, ...kafkaEnv(prefix), KAFKA_MAX_MESSAGE_BYTES: '2000' },
      'outbox',
      'replay',
      '--all',
      '--execute',
    );
    expect(code).toBe(1);
    expect(output).toContain('KAFKA_MAX_MESSAGE_BYTES allows 2000');
    expect(output).toContain('2 of 3 events published again');
    expect(output).not.toContain('xxx');
    expect((await arrived()).map(({ n }) => n)).toEqual([1, 3]);
  });

  it('stops at Ctrl-C and says where to go on, from where nothing is missed', async () => {
    const stepped = await relay();
    await pool.query(
      `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
       SELECT signalbox.lane_of('k' || n % 20), 'patient.updated', '1.0', 'patient', 'k' || n % 20, 'test',
         ${numberedData('n')} FROM generate_series(1, 20000) n`,
    );
    await stepped.drain();
    const env = { DATABASE_URL: database.url, ...kafkaEnv(prefix) };
    const program = await spawnSignalbox('ops', {
      args: ['outbox', 'replay', '--all', '--execute'],
      env,
    });
    await readUntilSome(`${prefix}.patient.updated`);
    expect((await program.kill('SIGINT')).code).toBe(130);
    const [, after = ''] = /with --after (\d+)/.exec(program.output()) ?? [];
    expect(Number(after)).toBeGreaterThan(0);
    expect((await replay('--all', '--execute', '--after', after)).code).toBe(0);
    expect((await arrived()).map(({ n }) => n)).toEqual(
      Array.from({ length: 20_000 }, (_none, index) => index + 1),
    );
  }, 180_000);

  it('with Kafka away ends in words that say where it stopped', async () => {
    const stepped = await relay();
    await append(pool, 'a', 1);
    await stepped.drain();
    const { code, output } = await ops(
      { DATABASE_URL: database.url, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1', KAFKA_TOPIC_PREFIX: prefix },
      'outbox',
      'replay',
      '--all',
      '--execute',
    );
    expect(code).toBe(1);
    expect(output).toContain('0 of 1 event published again');
    expect(output).toContain('with --after 0');
    expect(kafkaBrokers().length).toBeGreaterThan(0);
  }, 180_000);
});

async function readUntilSome(topic: string): Promise<void> {
  const admin = testKafka().admin();
  await admin.connect();
  try {
    for (let high = 0; high === 0;) {
      const [partition] = await admin.fetchTopicOffsets(topic);
      high = Number(partition?.high ?? 0);
    }
  } finally {
    await admin.disconnect();
  }
}

describe('ops outbox lanes', () => {
  it('raises the number only with --execute', async () => {
    const dry = await outbox('lanes', '--to', '32');
    expect(dry.code).toBe(0);
    expect(dry.output).toContain('would be raised from 16 to 32. Nothing was changed');
    expect((await outbox('lanes', '--to', '32', '--execute', '--json')).json()).toEqual({
      executed: true,
      from: 16,
      to: 32,
    });
    expect(((await outbox('status', '--json')).json() as { lanes: object[] }).lanes).toHaveLength(32);
    const refused = await outbox('lanes', '--to', '33', '--execute');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('must be a higher power of two');
  });
});

it('every command has its help', async () => {
  for (const command of ['status', 'tail', 'show', 'replay', 'parked', 'lanes', 'repair']) {
    const { code, output } = await outbox(command, '--help');
    expect(code).toBe(0);
    expect(output).toMatch(/Usage: ops outbox/);
  }
});
