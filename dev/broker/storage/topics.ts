/**
 * The topics and their partition logs. Every change goes through the journal (`record`) and takes effect in `apply`,
 * which also replays the journal at start. A topic's files lie in a directory named after its id, not its name: a
 * topic that is deleted and created again starts empty even if the deletion was interrupted.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes, ProtocolError } from '../protocol/errorCodes';
import type { TopicEntry } from './entries';
import type { OpenFiles } from './openFiles';
import { PartitionLog } from './partitionLog';
import { checkConfigs, type TopicConfigs } from './topicConfig';
import { checkTopicName, collisionKey } from './topicName';

export interface Topic {
  readonly id: string;
  readonly name: string;
  readonly configs: TopicConfigs;
  readonly partitions: readonly PartitionLog[];
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string | null>>;
}

const maxPartitions = 10_000;

export class Topics {
  private readonly byId = new Map<string, Topic>();
  private readonly byName = new Map<string, Topic>();
  private readonly collisionKeys = new Map<string, string>();

  constructor(
    private readonly directory: string,
    private readonly files: OpenFiles,
    private readonly record: (entry: TopicEntry) => void,
  ) {}

  /** Reads all logs and removes what deleted topics left behind. Returns the bytes cut off, by file. */
  open(): Map<string, number> {
    mkdirSync(this.directory, { recursive: true });
    for (const id of readdirSync(this.directory)) {
      if (!this.byId.has(id)) rmSync(join(this.directory, id), { recursive: true, force: true });
    }
    const logs = this.list().flatMap(({ partitions }) => partitions);
    return new Map(logs.map((log) => [log.file, log.load()] as const).filter(([, bytes]) => bytes > 0));
  }

  list(): Topic[] {
    return [...this.byName.values()];
  }

  find(name: string): Topic | undefined {
    return this.byName.get(name);
  }

  /** @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION. */
  get(name: string): Topic {
    return this.byName.get(name) ?? fail('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${name}.`);
  }

  /** @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION. */
  log(name: string, partition: number): PartitionLog {
    const log = this.get(name).partitions[partition];
    return log ?? fail('UNKNOWN_TOPIC_OR_PARTITION', `Topic ${name} has no partition ${partition}.`);
  }

  /** @throws ProtocolError when the name is taken or anything about the topic is not valid. */
  create({ name, partitions, configs }: NewTopic, validateOnly: boolean): void {
    checkTopicName(name);
    if (this.byName.has(name)) fail('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`);
    const collision = this.collisionKeys.get(collisionKey(name));
    if (collision !== undefined) {
      fail('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${collision}`);
    }
    const checked = checkConfigs(configs);
    if (partitions < 1 || partitions > maxPartitions) {
      fail('INVALID_PARTITIONS', `A topic has 1 to ${maxPartitions} partitions, not ${partitions}.`);
    }
    if (validateOnly) return;
    this.record({ kind: 'topic', id: randomUUID(), name, partitions, configs: checked });
  }

  /** @throws ProtocolError unless `count` is more than there are. */
  addPartitions(name: string, count: number, validateOnly: boolean): void {
    const { id, partitions } = this.get(name);
    if (count <= partitions.length || count > maxPartitions) {
      fail(
        'INVALID_PARTITIONS',
        `Topic ${name} has ${partitions.length} partitions: ${count} is not possible.`,
      );
    }
    if (!validateOnly) this.record({ kind: 'partitions', id, partitions: count });
  }

  configure(name: string, configs: Readonly<Record<string, string | null>>, validateOnly: boolean): void {
    const { id } = this.get(name);
    const checked = checkConfigs(configs);
    if (!validateOnly) this.record({ kind: 'configs', id, configs: checked });
  }

  /** Deletes the records before `offset` (-1: all) and returns the first offset left. */
  deleteRecords(name: string, partition: number, offset: number): number {
    const log = this.log(name, partition);
    const start = offset === -1 ? log.end : offset;
    if (start < 0 || start > log.end)
      fail('OFFSET_OUT_OF_RANGE', `The log ends at ${log.end}, not ${offset}.`);
    if (start > log.start) {
      this.record({ kind: 'logStart', id: this.get(name).id, partition, offset: start });
    }
    return log.start;
  }

  delete(name: string): void {
    const topic = this.get(name);
    this.record({ kind: 'topicDeleted', id: topic.id, name });
    for (const log of topic.partitions) log.remove();
    rmSync(join(this.directory, topic.id), { recursive: true, force: true });
  }

  apply(entry: TopicEntry): void {
    if (entry.kind === 'topic') {
      this.put({ ...entry, partitions: this.logsOf(entry.id, 0, entry.partitions) });
      return;
    }
    const topic = this.byId.get(entry.id);
    if (topic === undefined) return;
    if (entry.kind === 'configs') this.put({ ...topic, configs: entry.configs });
    else if (entry.kind === 'topicDeleted') this.drop(topic);
    else if (entry.kind === 'logStart')
      (topic.partitions[entry.partition] as PartitionLog).start = entry.offset;
    else {
      const added = this.logsOf(topic.id, topic.partitions.length, entry.partitions);
      this.put({ ...topic, partitions: [...topic.partitions, ...added] });
    }
  }

  *snapshot(): Iterable<TopicEntry> {
    for (const { id, name, configs, partitions } of this.byName.values()) {
      yield { kind: 'topic', id, name, configs, partitions: partitions.length };
      for (const [partition, { start }] of partitions.entries()) {
        if (start > 0) yield { kind: 'logStart', id, partition, offset: start };
      }
    }
  }

  private put({ id, name, configs, partitions }: Topic): void {
    const topic = { id, name, configs, partitions };
    this.byId.set(id, topic);
    this.byName.set(name, topic);
    this.collisionKeys.set(collisionKey(name), name);
  }

  private drop({ id, name }: Topic): void {
    this.byId.delete(id);
    this.byName.delete(name);
    this.collisionKeys.delete(collisionKey(name));
  }

  private logsOf(id: string, from: number, to: number): PartitionLog[] {
    return Array.from(
      { length: to - from },
      (_, index) => new PartitionLog(join(this.directory, id, `${from + index}.log`), this.files),
    );
  }
}

function fail(code: keyof typeof errorCodes, message: string): never {
  throw new ProtocolError(errorCodes[code], message);
}
