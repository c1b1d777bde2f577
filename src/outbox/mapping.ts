import {
  type Aggregate,
  type EventRule,
  keyFields,
  type RowOperation,
  watchedFields,
} from '../events/aggregate';
import { carriable, type FieldKind } from '../events/fields';
import { isCarriable } from '../events/instants';
import { notNull } from '../events/notNull';
import { CaptureError } from './captureError';
import { isStorableJson } from './storableJson';

/*
 * The rules of the catalogue applied to a change: from a row before and after to the events that it means. Pure; the
 * engine "trigger" says the same in SQL, and a differential test holds the two together.
 */

/** A row by the model's field names, with the values that Prisma's client gives; all listed fields are there. */
export type Row = Readonly<Record<string, unknown>>;

/** An event before it has an id and a place in the log. */
export interface MappedEvent {
  readonly eventType: string;
  readonly version: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The id of the aggregate that a row is. */
export function keyOf(aggregate: Aggregate, row: Row): string {
  if (typeof aggregate.key === 'string') return keyPart(aggregate, row, aggregate.key);
  const parts = keyFields(aggregate).map((name) => keyPart(aggregate, row, name));
  return parts.map((part) => part.replaceAll('%', '%25').replaceAll(':', '%3A')).join(':');
}

function keyPart({ type, fields }: Aggregate, row: Row, name: string): string {
  const key = row[name];
  if (typeof key === 'string') return key;
  if (typeof key === 'number' || typeof key === 'bigint') return String(key);
  const day = fields[name]?.kind === 'date' ? encoders.date(key) : undefined;
  if (typeof day === 'string') return day;
  throw new Error(`The key "${name}" of a ${type} is ${key === null ? 'null' : typeof key}`);
}

/**
 * The events of one row's change, in the catalogue's order. No `before` means created, no `after` deleted; a row whose
 * key changed is one that went and one that came. A change of no listed field means nothing.
 * @throws Error when a row lacks a listed field.
 * @throws CaptureError when it holds a value that an event can't carry.
 */
export function mapChange(
  aggregate: Aggregate,
  before: Row | undefined,
  after: Row | undefined,
): MappedEvent[] {
  if (before && after && keyOf(aggregate, before) !== keyOf(aggregate, after)) {
    return [...mapChange(aggregate, before, undefined), ...mapChange(aggregate, undefined, after)];
  }
  const row = after ?? before;
  if (!row) return [];
  const change: Change = { aggregate, before: before ?? row, row };
  const on = before ? (after ? 'update' : 'delete') : 'create';
  const rules = rulesOf(aggregate)[on];
  return rules
    .filter(([, rule]) => applies(change, rule))
    .map(([eventType, rule]) => ({
      eventType,
      version: aggregate.version,
      aggregateType: aggregate.type,
      aggregateId: keyOf(aggregate, row),
      data: dataOf(change, rule),
    }));
}

/**
 * The events of many rows' changes. Rows before and after meet by their key: what is only there before was deleted,
 * what is only there after was created. Rows that were there come first, in the order given, then those that came.
 */
export function mapChanges(aggregate: Aggregate, before: Iterable<Row>, after: Iterable<Row>): MappedEvent[] {
  const left = new Map([...after].map((row) => [keyOf(aggregate, row), row]));
  const events: MappedEvent[] = [];
  for (const row of before) {
    const key = keyOf(aggregate, row);
    events.push(...mapChange(aggregate, row, left.get(key)));
    left.delete(key);
  }
  for (const row of left.values()) events.push(...mapChange(aggregate, undefined, row));
  return events;
}

type Rules = Readonly<Record<RowOperation, readonly (readonly [eventType: string, rule: EventRule])[]>>;

/** Sorted once for each aggregate, not for each of the thousands of rows that a statement may write. */
const sortedRules = new WeakMap<Aggregate, Rules>();

function rulesOf(aggregate: Aggregate): Rules {
  const known = sortedRules.get(aggregate);
  if (known) return known;
  const all = Object.entries(aggregate.events);
  const of = (on: RowOperation) => all.filter(([, rule]) => rule.on === on);
  const rules: Rules = { create: of('create'), update: of('update'), delete: of('delete') };
  sortedRules.set(aggregate, rules);
  return rules;
}

interface Change {
  readonly aggregate: Aggregate;
  readonly before: Row;
  /** The row as it is, or was if it is gone. */
  readonly row: Row;
}

function applies(change: Change, rule: EventRule): boolean {
  if (rule.on !== 'update') return true;
  if ('changed' in rule.when) return rule.when.changed.some((name) => hasChanged(change, name));
  const { field, value } = rule.when.becomes;
  return holds(valueOf(change.row, field), value) && !holds(valueOf(change.before, field), value);
}

/** Whether a field has the value that a rule waits for. */
function holds(found: unknown, wanted: string | number | boolean | null | typeof notNull): boolean {
  if (wanted === notNull) return found !== null;
  return wanted === null ? found === null : isEqual(found, wanted);
}

function dataOf(change: Change, rule: EventRule): Record<string, unknown> {
  const { aggregate, before, row } = change;
  const data: Record<string, unknown> = {};
  for (const name of rule.carries) data[fieldOf(aggregate, name).as] = wireValue(aggregate, row, name);
  if (rule.on !== 'update') return data;
  for (const name of rule.previous ?? []) {
    data[`previous_${fieldOf(aggregate, name).as}`] = wireValue(aggregate, before, name);
  }
  if (rule.changedFields) {
    const changed = watchedFields(aggregate, rule).filter((name) => hasChanged(change, name));
    data['changed_fields'] = changed.map((name) => fieldOf(aggregate, name).as);
  }
  return data;
}

function hasChanged({ before, row }: Change, name: string): boolean {
  const [was, is] = [valueOf(before, name), valueOf(row, name)];
  if (was === is) return false;
  // Most values are texts, and need not be copied to be compared.
  return (typeof was === 'string' && typeof is === 'string') || comparable(was) !== comparable(is);
}

const isEqual = (value: unknown, wanted: string | number | boolean): boolean =>
  comparable(value) ===
    comparable(typeof value === 'bigint' && typeof wanted === 'number' ? BigInt(wanted) : wanted) ||
  (isDecimal(value) && value.toFixed() === String(wanted));

function fieldOf(aggregate: Aggregate, name: string): Aggregate['fields'][string] {
  const field = aggregate.fields[name];
  if (!field) throw new Error(`The aggregate "${aggregate.type}" has no field "${name}"`);
  return field;
}

function valueOf(row: Row, name: string): unknown {
  const value = row[name];
  if (value === undefined) throw new Error(`A row was read without its field "${name}"`);
  return value;
}

function wireValue(aggregate: Aggregate, row: Row, name: string): unknown {
  const field = fieldOf(aggregate, name);
  if (field.class === 'restricted')
    throw new Error(`The field "${name}" is restricted: no event may carry it`);
  const value = valueOf(row, name);
  if (value === null) return null;
  const encode = encoders[field.kind];
  const encoded = field.list && Array.isArray(value) ? value.map(encode) : encode(value);
  if (encoded === undefined || (Array.isArray(encoded) && encoded.includes(undefined))) {
    throw new CaptureError(
      `The field "${aggregate.type}.${field.as}" holds a value that no event can carry: events carry ${carriable[field.kind]}`,
    );
  }
  return encoded;
}

const ifString = (value: unknown): unknown => (typeof value === 'string' ? value : undefined);
const ifNumber = (value: unknown): unknown => (typeof value === 'number' ? value : undefined);

/** By kind; undefined when an event can't carry the value. */
const encoders: Record<FieldKind, (value: unknown) => unknown> = {
  uuid: (value) => (typeof value === 'string' && guid.test(value) ? value : undefined),
  text: ifString,
  enum: ifString,
  datetime: (value) => instantOf(value),
  date: (value) => instantOf(value)?.slice(0, 10),
  int: ifNumber,
  bigint: (value) => (typeof value === 'bigint' ? String(value) : undefined),
  decimal: (value) => (isDecimal(value) ? /^-?\d.*$/.exec(value.toFixed())?.[0] : undefined),
  // JSON has no word for what is not a number.
  float: (value) => (typeof value === 'number' && !Number.isFinite(value) ? null : ifNumber(value)),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  bytes: (value) => (value instanceof Uint8Array ? base64(value) : undefined),
  json: (value) => (isStorableJson(value) ? value : undefined),
};

const guid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Undefined outside the years 1 to 9999, and for what Prisma makes of infinity: a Date without a time. */
const instantOf = (value: unknown): string | undefined =>
  value instanceof Date && isCarriable(value) ? value.toISOString() : undefined;

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** decimal.js, by its shape: a client may come with a copy of its own. */
function isDecimal(value: unknown): value is { toFixed(): string } {
  return (
    typeof value === 'object' && value !== null && 'toFixed' in value && typeof value.toFixed === 'function'
  );
}

/** A text that is the same for equal values only; by the value's own type, for restricted fields tell no kind. */
function comparable(value: unknown): string {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'bigint') return `i${value}`;
  if (value instanceof Date) return `t${value.getTime()}`;
  if (value instanceof Uint8Array) return `b${base64(value)}`;
  if (Array.isArray(value)) return `a${JSON.stringify(value.map(comparable))}`;
  if (isDecimal(value) && typeof value !== 'number') return `d${value.toFixed()}`;
  return `j${JSON.stringify(value)}`;
}
