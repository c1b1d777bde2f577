/** A process that writes through the captured client until it is told to stop, or killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createCapturedClient } from '../../../src/healthcore/capturedClient';
import type { CaptureEngineName } from '../../../src/outbox/prisma/engineName';
import type { CaptureOptions } from '../../../src/outbox/prisma/captured';
import { Nudger } from '../../../src/outbox/nudger';
import { runUntilSignal, type Service, UserError } from '../../../src/shared/lifecycle';
import type { Logger } from '../../../src/shared/logger';
import { runProgram } from '../../../src/shared/program';
import { randomFrom } from '../random';
import { act, type Own } from './actions';
import { WriterJournal } from './journal';
import type { Writer } from './transaction';

const loops = 4;
/** A database that comes back only later must not keep a core busy with refusals. */
const pauseMs = [15, 90] as const;

void runProgram('writer', process.env, main);

async function main(logger: Logger): Promise<number> {
  const { DATABASE_URL: databaseUrl = '', CHAOS_ENGINE, CHAOS_JOURNAL = '', CHAOS_SEED } = process.env;
  const nudger = new Nudger({ databaseUrl, intervalMs: 5, logger });
  const prisma = await connect(CHAOS_ENGINE === 'trigger' ? 'trigger' : 'middleware', databaseUrl, {
    source: 'chaos',
    logger,
    onCommitted: () => nudger.nudge(),
  });
  const writer: Writer = { prisma, journal: new WriterJournal(CHAOS_JOURNAL) };
  const code = await runUntilSignal({
    logger,
    services: [nudger, writing(writer, Number(CHAOS_SEED))],
    stopTimeoutMs: 60_000,
  });
  await prisma.$disconnect();
  return code;
}

/** The trigger engine asks the database before it starts, which may be away: a supervisor would start it again. */
async function connect(
  engine: CaptureEngineName,
  databaseUrl: string,
  options: CaptureOptions & { readonly logger: Logger },
) {
  const { logger } = options;
  const database = { databaseUrl, poolSize: loops + 1, applicationName: 'chaos-writer', logger };
  for (;;) {
    try {
      return await createCapturedClient(engine, database, options);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await sleep(200);
    }
  }
}

function writing(writer: Writer, seed: number): Service {
  const stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const random = randomFrom(seed);
  const keepWriting = async (): Promise<void> => {
    const own: Own = { patients: [] };
    const mine = random.fork();
    while (!stopping.signal.aborted) {
      await act(writer, mine, own);
      await sleep(mine.between(...pauseMs));
    }
  };
  return {
    name: 'writing',
    start: async () => void (running = Promise.all(Array.from({ length: loops }, keepWriting))),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
