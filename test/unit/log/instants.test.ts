import { types } from 'pg';
import { parseInstant } from '../../../src/outbox/log/instants';

const asPg = types.getTypeParser(types.builtins.TIMESTAMPTZ) as (text: string) => unknown;

test.each([
  '2026-11-21 10:56:59+00',
  '2026-11-21 10:56:59.1+00',
  '2026-11-21 10:56:59.123456+00',
  '2026-11-21 10:56:59.999999+00',
  '2024-02-29 23:59:59.0005+00',
  '0099-01-01 00:00:00+00',
  '2026-11-21 12:56:59.5+02',
  '2026-11-21 12:56:59.25-09:30',
  '0044-03-15 12:00:00+00 BC',
  '10000-01-01 00:00:00+00',
  'infinity',
  '-infinity',
])('reads %s as pg does', (text) => {
  expect(parseInstant(text)).toEqual(asPg(text));
});
