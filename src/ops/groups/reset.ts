import { groupPositions, type GroupState } from '../../kafka/groups/groupStates';
import { countRanges, type Range } from '../../kafka/groups/readRange';
import { setGroupOffsets } from '../../kafka/groups/setGroupOffsets';
import { withAdmin } from '../../kafka/withAdmin';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { type KafkaTools, withKafka } from '../kafka';
import { report } from '../output/report';
import { table } from '../output/table';
import { type Admin, consumerOf, findGroups } from './find';
import { type Known, withKnownEvents } from './knownEvents';
import { type Move, moveOf, parseChoices, type Target, type TargetOptions, targetOf } from './resetPlan';

export interface ResetOptions extends TargetOptions {
  readonly topic?: readonly string[];
  readonly allTopics?: boolean;
  readonly forceReprocess?: string;
  readonly execute?: boolean;
  readonly json?: boolean;
}

/**
 * `ops groups reset`: puts a group elsewhere. What its inbox has to forget is committed first: a crash in between
 * leaves the group where it was, and the command can be given again. The other way round the group would come by, find
 * the events known, and pass over them.
 */
export function resetGroup(tools: Tools, name: string, options: ResetOptions): Promise<number> {
  const target = targetOf(options, Date.now());
  return withKafka(tools, async (kafkaTools) => {
    const { kafka, config } = kafkaTools;
    const { group, moves } = await withAdmin(kafka, async (admin) => {
      const state = await stoppedGroup(admin, name, kafkaTools);
      return { group: state.group, moves: await planMoves(admin, state.group, target, options, kafkaTools) };
    });
    const consumer = consumerToForce(group, options, kafkaTools);
    const changed = moves.filter(({ from, to }) => from !== to);
    const execute = options.execute === true && changed.length > 0;
    const known = await withKnownEvents(tools, kafkaTools, consumer, rangesOf(moves), execute);
    if (execute) await setOffsets(kafkaTools, group, name, changed);
    const data = { executed: execute, group, known, partitions: moves.map(dataOf) };
    const text = textOf({ group, moves, execute, known, ours: consumerOf(group, config) });
    report(tools.stdout, options.json ?? false, { data, text });
    return exitCodes.ok;
  });
}

/** @throws UserError while the group has members: they would overwrite what is set. */
async function stoppedGroup(admin: Admin, name: string, { config }: KafkaTools): Promise<GroupState> {
  const [state] = await findGroups(admin, [name], config);
  if (!state) throw new UserError(`There is no consumer group "${name}".`);
  if (state.members.length > 0) {
    const members = state.members.map(({ clientId, host }) => `${clientId}@${host}`).join(', ');
    throw new UserError(
      `The group "${state.group}" is running (${members}). Stop its consumers, or wait for their session to end, and reset it then.`,
    );
  }
  return state;
}

async function planMoves(
  admin: Admin,
  group: string,
  target: Target,
  { topic: texts = [], allTopics = false }: ResetOptions,
  { catalogue, config }: KafkaTools,
): Promise<Move[]> {
  if (allTopics === texts.length > 0) {
    throw new UserError('Say what to reset: either --all-topics, or --topic once or several times.');
  }
  const choices = parseChoices(catalogue, texts, config.KAFKA_TOPIC_PREFIX);
  const positions = (
    await groupPositions(admin, group, allTopics ? undefined : choices.map(({ topic }) => topic))
  ).filter(
    ({ topic, partition }) =>
      allTopics ||
      choices.some((choice) => choice.topic === topic && (choice.partitions?.includes(partition) ?? true)),
  );
  if (positions.length === 0) {
    throw new UserError(`There is nothing to reset: no such topic or partition, or the group has read none.`);
  }
  const atTime = await offsetsAtTime(admin, target, new Set(positions.map(({ topic }) => topic)));
  return positions.map((position) =>
    moveOf(position, target, atTime.get(`${position.topic}/${position.partition}`)),
  );
}

async function offsetsAtTime(
  admin: Admin,
  target: Target,
  topics: ReadonlySet<string>,
): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  if (target.kind !== 'time') return found;
  for (const topic of topics) {
    for (const { partition, offset } of await admin.fetchTopicOffsetsByTimestamp(topic, target.ms)) {
      found.set(`${topic}/${partition}`, BigInt(offset));
    }
  }
  return found;
}

/** @throws UserError when the named consumer is not the group's. */
function consumerToForce(
  group: string,
  { forceReprocess }: ResetOptions,
  { config }: KafkaTools,
): string | undefined {
  if (forceReprocess === undefined) return undefined;
  const own = consumerOf(group, config);
  if (own === forceReprocess) return own;
  throw new UserError(
    `--force-reprocess "${forceReprocess}" is not the consumer of the group "${group}"${own ? `; that is "${own}"` : ''}.`,
  );
}

/** What the group will read again. */
function rangesOf(moves: readonly Move[]): Range[] {
  return moves
    .filter(({ again }) => again > 0n)
    .map(({ topic, partition, to, again }) => ({ topic, partition, from: to, to: to + again }));
}

async function setOffsets(
  kafkaTools: KafkaTools,
  group: string,
  name: string,
  moves: readonly Move[],
): Promise<void> {
  const { kafka } = kafkaTools;
  // Reading what the inbox has to forget may have taken a while.
  await withAdmin(kafka, (admin) => stoppedGroup(admin, name, kafkaTools));
  await setGroupOffsets(
    kafka,
    group,
    moves.map(({ topic, partition, to }) => ({ topic, partition, offset: String(to) })),
  );
  const now = await withAdmin(kafka, (admin) => groupPositions(admin, group));
  const wrong = moves.find(
    ({ topic, partition, to }) =>
      now.find((position) => position.topic === topic && position.partition === partition)?.committed !== to,
  );
  if (wrong) {
    throw new UserError(
      `The group "${group}" is not where it was put (${wrong.topic}/${wrong.partition}): somebody else uses it. Stop its consumers and reset it again.`,
    );
  }
}

function dataOf({ topic, partition, from, to, again, skipped }: Move): unknown {
  return {
    topic,
    partition,
    from: from === null ? null : String(from),
    to: String(to),
    again: String(again),
    skipped: String(skipped),
  };
}

function textOf(result: {
  group: string;
  moves: readonly Move[];
  execute: boolean;
  known: Known | null;
  ours: string | undefined;
}): string {
  const { moves, execute, known, ours, group } = result;
  const again = countRanges(rangesOf(moves));
  const rows = table<Move>(
    [
      { title: 'TOPIC', value: ({ topic }) => topic },
      { title: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
      { title: 'FROM', value: ({ from }) => from ?? '-', align: 'right' },
      { title: 'TO', value: ({ to }) => to, align: 'right' },
      { title: 'READ AGAIN', value: ({ again }) => again, align: 'right' },
      { title: 'SKIPPED', value: ({ skipped }) => skipped, align: 'right' },
    ],
    moves,
  );
  const inbox =
    known !== null
      ? [
          `${known.events} events that ${ours} has processed ${execute ? 'will' : 'would'} be processed again.`,
        ]
      : ours !== undefined && again > 0
        ? [`${ours} passes over what its inbox knows; --force-reprocess ${ours} has it processed again.`]
        : [];
  const end = execute
    ? `${group} was reset.`
    : moves.every(({ from, to }) => from === to)
      ? 'The group is there already; nothing to do.'
      : 'Nothing was changed; add --execute to reset the group.';
  return [rows, ...inbox, end].join('\n');
}
