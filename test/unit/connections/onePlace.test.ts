import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** All sources but the generated client. */
function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) return entry.name === 'generated' ? [] : sources(name);
    return name.endsWith('.ts') ? [name] : [];
  });
}

it('connections to the database are made in one place: every other one would lack its time zone and its listener', () => {
  const makers = sources('src').filter((file) =>
    /\bnew (Client|BaseClient|Pool|PrismaPg)\(|\bextends (Client|Pool|PrismaPg|BaseClient)\b/.test(
      readFileSync(file, 'utf8'),
    ),
  );
  expect(makers.sort()).toEqual([
    'src/outbox/prisma/adapter/fencedPrismaPg.ts',
    'src/outbox/prisma/adapter/statements/preparingClient.ts',
    // PinnedClient and what is made of it.
    'src/shared/connections/pinnedClient.ts',
    'src/shared/database.ts',
  ]);
});
