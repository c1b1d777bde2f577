import { assertPrismaVersion, versionOf } from '../../../src/outbox/prisma/prismaVersion';

it.each([
  ['7.1.0', 'trigger'],
  ['7.10.1', 'trigger'],
  ['7.5.0', 'middleware'],
  ['7.11.0-dev.3', 'middleware'],
] as const)('Prisma %s is taken by the %s engine', (version, engine) => {
  expect(() => assertPrismaVersion(version, engine)).not.toThrow();
});

it.each([
  [
    '7.4.2',
    'middleware',
    /Prisma 7\.5 and later versions of 7, and @prisma\/client is 7\.4\.2: .* or use the trigger engine\.$/,
  ],
  [
    '7.0.1',
    'trigger',
    /Prisma 7\.1 and later versions of 7, and @prisma\/client is 7\.0\.1: install another version\.$/,
  ],
  ['8.0.0', 'trigger', /is 8\.0\.0: install another version\.$/],
  ['6.19.0', 'middleware', /is 6\.19\.0: install another version\.$/],
] as const)('Prisma %s is refused by the %s engine in one sentence', (version, engine, message) => {
  expect(() => assertPrismaVersion(version, engine)).toThrow(message);
});

it('knows the version of a client, and of nothing else', () => {
  expect(versionOf({ _clientVersion: '7.10.0' })).toBe('7.10.0');
  expect(versionOf({})).toBe('unknown');
});
