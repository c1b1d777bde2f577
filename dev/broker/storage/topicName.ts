import { errorCodes, ProtocolError } from '../protocol/errorCodes';

/** Apache Kafka's rule for topic names. */
export function checkTopicName(name: string): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return;
  throw new ProtocolError(
    errorCodes.INVALID_TOPIC_EXCEPTION,
    `The topic name ${JSON.stringify(name)} is not legal: 1 to 249 of the characters a-z, A-Z, 0-9, ".", "_" and "-", but not "." or "..".`,
  );
}

/** Names that differ in "." and "_" only count as one and the same, because metrics can't tell them apart. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_');
}
