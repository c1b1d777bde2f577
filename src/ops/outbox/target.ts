import { withAdmin } from '../../kafka/withAdmin';
import { changeTarget, describeTarget, isSameTarget, readTarget, type Target } from '../../outbox/log/target';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';

export interface TargetOptions {
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** `ops outbox target`: where the events go, and where the KAFKA_* variables would have them go. */
export function target(tools: Tools, { execute = false, json = false }: TargetOptions): Promise<number> {
  return withDatabase(tools, async (pool) => {
    const named = await namedTarget(tools);
    const known = await readTarget(pool);
    const same = known !== undefined && isSameTarget(known, named);
    if (execute && !same) await changeTarget(pool, named);
    report(tools.stdout, json, {
      data: { executed: execute && !same, target: known ?? null, named, same },
      text: textOf(known, named, execute),
    });
    return execute || same ? exitCodes.ok : exitCodes.attention;
  });
}

function namedTarget(tools: Tools): Promise<Target> {
  return withKafka(tools, async ({ kafka, config }) => {
    const { clusterId } = await withAdmin(kafka, (admin) => admin.describeCluster());
    return { clusterId, topicPrefix: config.KAFKA_TOPIC_PREFIX };
  });
}

function textOf(known: Target | undefined, named: Target, execute: boolean): string {
  if (known && isSameTarget(known, named)) {
    return `The outbox is published to ${describeTarget(known)}, which is what the KAFKA_* variables name.`;
  }
  const before = known
    ? `The outbox is published to ${describeTarget(known)}.`
    : 'The outbox has no target yet: the first relay that reaches Kafka sets it.';
  const rest = 'What was published stays where it is, what waits goes there';
  return execute
    ? `${before}\nFrom now on it is published to ${describeTarget(named)}. ${rest}; "outbox replay" publishes the former there, too.`
    : `${before}\nWith --execute it would be published to ${describeTarget(named)}. ${rest}. Nothing was changed.`;
}
