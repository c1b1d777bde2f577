import type { KafkaClient } from '../ports';

/** Removes an empty group. That it cannot be removed, or is gone already, does no harm: brokers expire empty groups. */
export async function deleteGroup(kafka: KafkaClient, group: string): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    await admin.deleteGroups([group]);
  } catch (error) {
    kafka.logger().debug('the group could not be removed', { group, error: String(error) });
  } finally {
    await admin.disconnect();
  }
}
