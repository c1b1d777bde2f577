/* `signalbox/prisma`: both capture engines. */

export { CaptureError } from '../outbox/captureError';
export { type AdapterOptions, createAdapter } from '../outbox/prisma/adapter/createAdapter';
export type {
  Appending,
  Captured,
  CapturedTransaction,
  CaptureOptions,
  CatalogueOption,
  PrismaClientLike,
} from '../outbox/prisma/captured';
export { contextComments } from '../outbox/prisma/contextComments';
export type { CaptureEngineName } from '../outbox/prisma/engineName';
export { TriggersDifferError } from '../outbox/prisma/installed/check';
export { withCapture } from '../outbox/prisma/middleware/extension';
export { markedComments, type StatementComments } from '../outbox/prisma/statementComments';
export { triggerInspector } from '../outbox/prisma/trigger/installed';
export { withSignals } from '../outbox/prisma/trigger/withSignals';
export { TriggerWatch, type TriggerWatchOptions } from '../outbox/prisma/triggerWatch';
export { withoutCapture } from '../outbox/prisma/withoutCapture';
