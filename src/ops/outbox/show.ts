import { escapeControls } from '../../consumers/console/escapeControls';
import { envelopeOf } from '../../kafka/messages/message';
import { findEvent, type FoundEvent } from '../../outbox/log/findEvent';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { parseEventRefs } from './eventRefs';

export interface ShowOptions {
  readonly json?: boolean;
}

/** `ops outbox show`: one event, what has become of it, and its envelope as Kafka gets it. */
export async function show(tools: Tools, ref: string, { json = false }: ShowOptions): Promise<number> {
  const [eventId] = parseEventRefs([ref]).eventIds;
  return withDatabase(tools, async (pool) => {
    const event = await findEvent(pool, eventId === undefined ? { position: ref } : { eventId });
    if (!event) {
      throw new UserError(
        `The outbox has no event ${ref}. Published events are deleted after OUTBOX_RETENTION_MS; what was rolled back was never there.`,
      );
    }
    tools.stdout.write(`${json ? jsonOf(event) : textOf(event)}\n`);
    return exitCodes.ok;
  });
}

function stateOf({ passed, setAside }: FoundEvent): 'published' | 'waiting' | 'parked' | 'held' {
  if (setAside) return setAside.state;
  return passed ? 'published' : 'waiting';
}

/** The envelope letter for letter, as it goes to Kafka: numbers may be longer than JavaScript can hold. */
function jsonOf(event: FoundEvent): string {
  const { lane, position, setAside } = event;
  const facts = JSON.stringify({ lane, sequence: position, state: stateOf(event), setAside });
  return `${facts.slice(0, -1)},"envelope":${envelopeOf({ ...event, data: event.data ?? 'null' })}}`;
}

function textOf(event: FoundEvent): string {
  const { setAside } = event;
  const lines: [string, string][] = [
    ['event', `${event.eventType} ${event.eventVersion}, ${event.eventId}`],
    ['aggregate', `${event.aggregateType}/${event.aggregateId}`],
    ['place', `lane ${event.lane}, sequence ${event.position}`],
    ['appended', event.occurredAt.toISOString()],
    ['data', `${event.dataBytes} bytes`],
    ['state', stateOf(event)],
    ...(setAside
      ? ([
          ['reason', `${setAside.reason}: ${setAside.detail}`],
          ['since', `${setAside.since}, ${setAside.attempts} tries`],
        ] as [string, string][])
      : []),
  ];
  const envelope: unknown = JSON.parse(envelopeOf({ ...event, data: event.data ?? 'null' }));
  return [
    ...lines.map(([name, value]) => `${name.padEnd(10)} ${escapeControls(value)}`),
    '',
    ...JSON.stringify(envelope, null, 2).split('\n').map(escapeControls),
  ].join('\n');
}
