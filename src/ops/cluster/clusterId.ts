import { randomBytes } from 'node:crypto';

/** Ids that Kafka keeps for itself: nothing but zeros, and the topic of its metadata. */
const reserved: ReadonlySet<string> = new Set(['AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAQ']);

/**
 * A new id for a cluster, as Kafka's own tools make them: 16 random bytes in base64 for URLs. None begins with "-", which a
 * command line would take for an option.
 */
export function newClusterId(random: () => Buffer = () => randomBytes(16)): string {
  for (;;) {
    const id = random().toString('base64url');
    if (!id.startsWith('-') && !reserved.has(id)) return id;
  }
}
