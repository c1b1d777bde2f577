import { statuses, statusesBefore } from '../../../src/api/appointments/transitions';

it('lets an appointment be cancelled or completed only while it is booked', () => {
  expect(statusesBefore('CANCELLED')).toEqual(['BOOKED']);
  expect(statusesBefore('COMPLETED')).toEqual(['BOOKED']);
});

it('lets none become booked again', () => {
  expect(statusesBefore('BOOKED')).toEqual([]);
  expect(statuses).toHaveLength(3);
});
