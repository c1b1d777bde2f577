import { catalogue } from '../../src/healthcore/catalogue';
import type { PrismaClient } from '../../src/generated/prisma/client';
import { withCapture } from '../../src/outbox/prisma/middleware/extension';
import { withSignals } from '../../src/outbox/prisma/trigger/withSignals';
import { contextComments } from '../../src/outbox/prisma/contextComments';
import { createPrismaClient } from '../../src/healthcore/createPrismaClient';
import { barePg } from './barePg';
import { handWritten, handWrittenBatch } from './handWritten';
import {
  openPrisma,
  plainPrisma,
  poolSize,
  prismaVariant,
  type Variant,
  type VariantOptions,
} from './variant';

interface Recipe {
  readonly name: string;
  /** Whether the database has the triggers. */
  readonly triggers: boolean;
  open(options: VariantOptions): Promise<Variant>;
}

const onPrisma = (
  name: string,
  triggers: boolean,
  open: (options: VariantOptions) => PrismaClient,
): Recipe => ({
  name,
  triggers,
  open: async (options) => {
    const prisma = open(options);
    return prismaVariant(name, prisma, () => prisma.$disconnect());
  },
});

const middleware: Recipe = {
  name: 'engine "middleware"',
  triggers: false,
  open: async (options) => {
    const base = createPrismaClient({ ...options, poolSize, applicationName: 'bench' });
    const prisma = withCapture(base, { catalogue, source: 'bench', logger: options.logger });
    return prismaVariant('engine "middleware"', prisma, () => base.$disconnect());
  },
};

const trigger: Recipe = {
  name: 'engine "trigger"',
  triggers: true,
  open: async (options) => {
    const base = openPrisma(options, [contextComments({ source: 'bench' })]);
    const prisma = await withSignals(base, { catalogue, source: 'bench', logger: options.logger });
    return prismaVariant('engine "trigger"', prisma, () => base.$disconnect());
  },
};

/** The order is that of the table. */
export const recipes: readonly Recipe[] = [
  { name: 'bare pg, no outbox', triggers: false, open: barePg },
  onPrisma('Prisma, no outbox', false, plainPrisma),
  onPrisma('Prisma, no outbox, prepared', false, (options) => openPrisma(options, [])),
  trigger,
  onPrisma('engine "trigger", no context', true, (options) => openPrisma(options, [])),
  middleware,
  { name: 'hand-written batch', triggers: false, open: handWrittenBatch },
  { name: 'hand-written transaction', triggers: false, open: handWritten },
];
