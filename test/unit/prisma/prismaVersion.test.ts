import { assertPrismaVersion } from '../../../src/outbox/prisma/prismaVersion';

const clientOf = (version: string): object => ({ _clientVersion: version });

it.each(['7.5.0', '7.10.1', '7.11.0-dev.3'])('Prisma %s is taken', (version) => {
  expect(() => assertPrismaVersion(clientOf(version))).not.toThrow();
});

it.each([
  ['7.4.2', /Prisma 7\.5 and later versions of 7, and @prisma\/client is 7\.4\.2: .* triggers alone: .*\.$/],
  ['7.0.1', /is 7\.0\.1: install another version\.$/],
  ['8.0.0', /is 8\.0\.0: install another version\.$/],
  ['6.19.0', /is 6\.19\.0: install another version\.$/],
])('Prisma %s is refused in one sentence', (version, message) => {
  expect(() => assertPrismaVersion(clientOf(version))).toThrow(message);
});

it('what is not a client is refused in the same way', () => {
  expect(() => assertPrismaVersion({})).toThrow('@prisma/client is unknown');
});
