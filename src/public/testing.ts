/* `signalbox/testing`: what a piece of work said, for tests of any framework. */

export { captureEvents } from '../testing/captureEvents';
export { deliver, type Delivered, type DeliveredTo } from '../testing/deliver';
export type { EventDraft } from '../testing/draftEnvelope';
export { nextEvent, type Patience } from '../testing/nextEvent';
export type { OutboxReader } from '../testing/readEvents';
