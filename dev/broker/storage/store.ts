import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { CommittedOffsets } from './committedOffsets';
import type { Entry } from './entries';
import { Identity } from './identity';
import { Journal } from './journal';
import { OpenFiles } from './openFiles';
import { Topics } from './topics';

export interface Store {
  readonly topics: Topics;
  readonly offsets: CommittedOffsets;
  readonly identity: Identity;
  close(): void;
}

/** Opens what a data directory holds; an empty or missing one becomes a new cluster. */
export function openStore(dataDir: string, logger: Logger): Store {
  mkdirSync(dataDir, { recursive: true });
  const files = new OpenFiles();
  const record = (entry: Entry): void => journal.append(entry);
  const topics = new Topics(join(dataDir, 'topics'), files, record);
  const offsets = new CommittedOffsets(record);
  const identity = new Identity(record);
  const journal = new Journal<Entry>({
    file: join(dataDir, 'journal'),
    apply: (entry) => applyTo({ topics, offsets, identity }, entry),
    snapshot: function* () {
      yield* identity.snapshot();
      yield* topics.snapshot();
      yield* offsets.snapshot();
    },
  });
  const dropped = journal.open();
  if (dropped > 0) logger.warn({ bytes: dropped }, 'dropped the end of the journal, which was cut short');
  identity.open();
  for (const [file, bytes] of topics.open()) {
    logger.warn({ file, bytes }, 'dropped the end of a log, which was cut short');
  }
  return {
    topics,
    offsets,
    identity,
    close: () => {
      journal.close();
      files.closeAll();
    },
  };
}

function applyTo({ topics, offsets, identity }: Omit<Store, 'close'>, entry: Entry): void {
  switch (entry.kind) {
    case 'cluster':
    case 'producerIds':
      return identity.apply(entry);
    case 'group':
    case 'offsets':
    case 'groupDeleted':
      return offsets.apply(entry);
    case 'topicDeleted':
      offsets.apply(entry);
      return topics.apply(entry);
    default:
      return topics.apply(entry);
  }
}
