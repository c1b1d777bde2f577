/**
 * How much the statistical tests do. `npm test` has to be quick and never fails for what nobody has changed: there they
 * do a fifth, with fixed seeds. `npm run test:long`, which CI runs, does all of it, with seeds of its own each time.
 */
export const isLong = process.env['TEST_EFFORT'] === 'long';

export function effort<T>(quick: T, long: T): T {
  return isLong ? long : quick;
}
