import type { KafkaAdmin, KafkaClient } from './ports';

/** Runs `use` with a connected admin client. Rejects when no broker can be reached. */
export async function withAdmin<T>(kafka: KafkaClient, use: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    // It may never have been connected, and what failed then is what the caller hears of.
    await admin.disconnect().catch(() => undefined);
  }
}
