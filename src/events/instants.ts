const first = Date.parse('0001-01-01T00:00:00Z');
const last = Date.parse('9999-12-31T23:59:59.999Z');

/** Whether an instant is of the years 1 to 9999, which ISO 8601 writes with four digits. Not so a Date without a time. */
export function isCarriable(instant: Date): boolean {
  const time = instant.getTime();
  return time >= first && time <= last;
}
