import { type DataOf, dataSchema, defineAggregate } from '../../../src/events/aggregate';
import { text, uuid } from '../../../src/events/fields';

const room = defineAggregate({
  type: 'room',
  model: 'Room',
  key: 'id',
  version: '1.0',
  fields: {
    id: uuid('room_id', 'identifier'),
    name: text('name', 'operational'),
    wing: text('wing', 'operational'),
  },
  events: {
    'room.opened': { on: 'create', carries: ['id', 'name', 'wing'], added: ['wing'] },
    'room.renamed': {
      on: 'update',
      when: { changed: ['name'] },
      carries: ['id', 'name'],
      previous: ['name'],
      changedFields: true,
      added: ['previous_name', 'changed_fields'],
    },
    'room.closed': { on: 'delete', carries: ['id', 'name'] },
  },
});
const { 'room.opened': opened, 'room.renamed': renamed, 'room.closed': closed } = room.events;

const room_id = '0197a1b2-0000-7000-8000-000000000001';
const problems = (rule: Parameters<typeof dataSchema>[1], data: unknown): string[] =>
  dataSchema(room, rule)
    .safeParse(data)
    .error?.issues.map(({ path }) => path.join('.')) ?? [];

describe('the data of an event', () => {
  it('may lack what was added to the event later, and nothing else', () => {
    expect(problems(opened, { room_id, name: 'A' })).toEqual([]);
    expect(problems(renamed, { room_id, name: 'A' })).toEqual([]);
    expect(problems(opened, { room_id, wing: 'east' })).toEqual(['name']);
    expect(problems(closed, { room_id })).toEqual(['name']);
  });

  it('is checked as strictly as ever where it has what was added', () => {
    expect(problems(opened, { room_id, name: 'A', wing: 'east' })).toEqual([]);
    expect(problems(opened, { room_id, name: 'A', wing: 7 })).toEqual(['wing']);
    expect(problems(renamed, { room_id, name: 'A', previous_name: null })).toEqual(['previous_name']);
  });

  it('says so to those who read it, when they compile', () => {
    const read = (data: DataOf<typeof room, 'room.opened'>): string[] => {
      // @ts-expect-error -- it may be absent
      const wing: string = data.wing;
      const name: string = data.name;
      return [name, wing];
    };
    expect(read({ room_id, name: 'A' })).toEqual(['A', undefined]);
    expect(read({ room_id, name: 'A', wing: 'east' })).toEqual(['A', 'east']);
  });

  it('cannot have had added what it does not have', () => {
    expect(() => dataSchema(room, { ...opened, added: ['storey'] })).toThrow(
      'An event of the aggregate "room" has no "storey" that was added',
    );
  });
});
