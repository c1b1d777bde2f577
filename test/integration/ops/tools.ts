import type { Writable } from 'node:stream';
import { apiVariables } from '../../../src/api/variables';
import { catalogue } from '../../../src/healthcore/catalogue';
import { reminderVariables } from '../../../src/healthcore/consumers/variables';
import { patientErasure } from '../../../src/healthcore/patientErasure';
import type { Tools } from '../../../src/ops/command';

/** What commands of HealthCore's work with. */
export function toolsOf(
  environment: Tools['environment'],
  { stdout, logger }: { readonly stdout: Writable; readonly logger: Tools['logger'] },
): Tools {
  return {
    catalogue,
    erasure: [patientErasure],
    variables: { ...apiVariables, ...reminderVariables },
    schema: 'prisma/schema.prisma',
    migrations: 'prisma/migrations',
    environment: {
      KAFKA_TOPIC_PREFIX: 'healthcore',
      CONSUMER_GROUP_PREFIX: 'healthcore',
      OUTBOX_CAPTURE: 'middleware',
      ...environment,
    },
    logger,
    stdout,
    stderr: stdout,
  };
}
