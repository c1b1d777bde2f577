import { catalogue } from '../../../src/healthcore/catalogue';
import { subscribedTypes } from '../../../src/consumers/effects';
import { handleEveryEvent } from '../../../src/consumers/handlers';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { findConsumers } from '../../../src/cli/commands/consumers';
import { consumers } from '../../../src/healthcore/consumers/registry';

const ignore = async (): Promise<void> => undefined;

test('a handler for an event type that the catalogue does not have does not compile', () => {
  // @ts-expect-error there is no such event type
  const handlers: Handlers = { 'patient.vanished': ignore };
  expect(subscribedTypes(catalogue, handlers, {})).toEqual([]);
});

test('a handler knows the data of its event', () => {
  const handlers: Handlers = {
    'appointment.cancelled': async ({ data }) => {
      const status: 'BOOKED' | 'CANCELLED' | 'COMPLETED' = data.previous_status;
      // @ts-expect-error no event carries the reason of a visit
      void [status, data.reason];
    },
  };
  expect(subscribedTypes(catalogue, handlers, {})).toEqual(['appointment.cancelled']);
});

test('one handler can be given for every event', () => {
  expect(subscribedTypes(catalogue, handleEveryEvent(catalogue, ignore), {})).toEqual(catalogue.eventTypes);
});

test('consumers are chosen by name; a name that is none is told with those there are', () => {
  expect(findConsumers(consumers, [])).toEqual(consumers);
  expect(findConsumers(consumers, ['audit-log'])).toMatchObject([{ name: 'audit-log' }]);
  expect(() => findConsumers(consumers, ['audit-log', 'audit'])).toThrow(
    'There is no consumer "audit". There are: audit-log, appointment-reminders, email-sender.',
  );
});
