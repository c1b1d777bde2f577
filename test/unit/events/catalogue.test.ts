import { defineAggregate } from '../../../src/events/aggregate';
import { defineCatalogue } from '../../../src/events/catalogue';
import { restricted, uuid } from '../../../src/events/fields';
import { catalogue } from '../../../src/healthcore/catalogue';

describe('the catalogue', () => {
  it('knows the events that others rely on, by name', () => {
    expect([...catalogue.eventTypes].sort()).toEqual([
      'appointment.booked',
      'appointment.cancelled',
      'appointment.completed',
      'appointment.deleted',
      'appointment.rescheduled',
      'appointment.updated',
      'email.send',
      'patient.created',
      'patient.deleted',
      'patient.updated',
    ]);
  });

  it('names events and their fields in a form that is safe in a topic and plain in JSON', () => {
    for (const eventType of catalogue.eventTypes) expect(eventType).toMatch(/^[a-z_]+\.[a-z_]+$/);
    for (const aggregate of catalogue.aggregates) {
      for (const field of Object.values(aggregate.fields)) expect(field.as).toMatch(/^[a-z]+(_[a-z]+)*$/);
    }
  });

  it('lets no rule carry a restricted field, under its own name or as a previous value', () => {
    for (const aggregate of catalogue.aggregates) {
      const fields: Readonly<Record<string, { class: string }>> = aggregate.fields;
      for (const rule of Object.values(aggregate.events)) {
        const named = [...rule.carries, ...('previous' in rule ? rule.previous : [])];
        expect(named.map((name) => fields[name]?.class)).not.toContain('restricted');
      }
    }
  });

  it('keeps clinical notes, reasons and dates of birth restricted', () => {
    const [patient, appointment] = catalogue.aggregates;
    expect(patient.fields.clinicalNotes.class).toBe('restricted');
    expect(patient.fields.dateOfBirth.class).toBe('restricted');
    expect(appointment.fields.reason.class).toBe('restricted');
  });

  it('tells event types from other strings', () => {
    expect(catalogue.find('patient.created') !== undefined).toBe(true);
    expect(catalogue.find('patient.exploded') !== undefined).toBe(false);
    expect(catalogue.find('toString')).toBeUndefined();
  });
});

describe('a catalogue is refused that declares twice', () => {
  const aggregate = (type: string, model: string, event: string, as = 'note') =>
    defineAggregate({
      type,
      model,
      key: 'id',
      version: '1.0',
      fields: { id: uuid('id', 'identifier'), note: restricted(as) },
      events: { [event]: { on: 'create', carries: ['id'] } },
    });
  const order = aggregate('order', 'Order', 'order.placed');

  it.each([
    ['a model', [order, aggregate('sale', 'Order', 'sale.made')], 'The model "Order"'],
    ['an aggregate', [order, aggregate('order', 'Sale', 'sale.made')], 'The aggregate "order"'],
    ['an event type', [order, aggregate('sale', 'Sale', 'order.placed')], 'The event type "order.placed"'],
    [
      'a field’s name in events',
      [aggregate('order', 'Order', 'order.placed', 'id')],
      'In the aggregate "order", the field "id"',
    ],
  ])('%s', (_what, aggregates, message) => {
    expect(() => defineCatalogue({ aggregates })).toThrow(`${message} is declared twice in the catalogue`);
  });
});
