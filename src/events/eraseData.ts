import { z } from 'zod';
import type { Aggregate } from './aggregate';
import type { Catalogue } from './catalogue';
import { erased } from './erased';
import type { Field, FieldKind } from './fields';

type Data = Record<string, unknown>;

/**
 * An event's data without anything of a person: fields that the catalogue calls `personal` are overwritten, and those of
 * before a change too; commands say themselves what remains of them. Of an event that the catalogue does not know
 * nothing remains. Data that were erased before come out as they are.
 */
export function eraseData({ aggregates, commands }: Catalogue, eventType: string, data: Data): Data {
  const command = commands.find((candidate) => candidate.eventType === eventType);
  if (command) return (command.erase?.(data) ?? {}) as Data;
  const aggregate = aggregates.find(({ events }) => events[eventType] !== undefined);
  return aggregate ? withoutPersonal(aggregate, data) : {};
}

function withoutPersonal({ fields }: Aggregate, data: Data): Data {
  const personal = new Map<string, unknown>();
  for (const field of Object.values(fields)) {
    if (field.class !== 'personal') continue;
    personal.set(field.as, substituteOf(field));
    personal.set(`previous_${field.as}`, substituteOf(field));
  }
  const erase = ([name, value]: [string, unknown]): [string, unknown] =>
    personal.has(name) && value !== null ? [name, personal.get(name)] : [name, value];
  return Object.fromEntries(Object.entries(data).map(erase));
}

/** What stands for a value of each kind: it says nothing, and readers of the event still accept it. */
const substitutes: Readonly<Record<Exclude<FieldKind, 'enum'>, unknown>> = {
  uuid: '00000000-0000-0000-0000-000000000000',
  text: erased,
  datetime: '1970-01-01T00:00:00.000Z',
  date: '1970-01-01',
  int: 0,
  bigint: '0',
  decimal: '0',
  float: 0,
  boolean: false,
  bytes: '',
  json: null,
};

function substituteOf({ kind, schema }: Field): unknown {
  if (kind !== 'enum') return substitutes[kind];
  const inner = schema instanceof z.ZodNullable ? schema.unwrap() : schema;
  return inner instanceof z.ZodEnum ? inner.options[0] : erased;
}
