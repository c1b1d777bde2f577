import type { EventEnvelope } from '../events/envelope';
import { type ClassifyError, classifyFailure, type Failure } from './failurePolicy';
import { type ConsumerDatabase, graceMs } from './transact';
import { withDeadline } from '../shared/withDeadline';

/** An error that we do not know, while the database is away, is most likely the outage in other words. */
export async function explain(
  error: unknown,
  event: EventEnvelope,
  {
    database,
    classify,
  }: { database: Pick<ConsumerDatabase, '$queryRawUnsafe'>; classify?: ClassifyError | undefined },
): Promise<Failure> {
  const failure = classifyFailure(error, event.data, classify);
  if (failure.kind !== 'failed') return failure;
  try {
    await withDeadline(database.$queryRawUnsafe('SELECT 1'), graceMs);
    return failure;
  } catch {
    return { ...failure, kind: 'own', reason: 'the database is away' };
  }
}
