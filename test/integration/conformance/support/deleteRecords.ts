import { withAdmin } from '../../../support/kafka';

/** Deletes the records of partition 0 before `offset`; -1: all. */
export function deleteRecords(topic: string, offset: number): Promise<void> {
  return withAdmin(async (admin) => {
    // kafkajs knows where to send the request only once it has asked for something else about the topic.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  });
}
