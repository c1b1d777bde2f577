import { patientInput } from '../../../src/api/patients/schemas';

const accepts = (date_of_birth: string, now: string): boolean => {
  jest.spyOn(Date, 'now').mockReturnValue(Date.parse(now));
  return patientInput.safeParse({ name: 'Ada', email: 'ada@example.com', date_of_birth }).success;
};

afterEach(() => jest.restoreAllMocks());

it('takes a child born today in the time zone where the day begins first, and nobody born tomorrow', () => {
  expect(accepts('2026-01-06', '2026-01-05T10:00:00Z')).toBe(true);
  expect(accepts('2026-01-06', '2026-01-05T09:59:59Z')).toBe(false);
  expect(accepts('2026-01-07', '2026-01-05T23:59:59Z')).toBe(false);
  expect(accepts('2026-01-05', '2026-01-05T00:00:00Z')).toBe(true);
});
