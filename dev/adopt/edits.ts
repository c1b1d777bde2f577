/** What a developer writes after `init`: a field is opened, an event and a consumer are added. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Replaces each text, which must be there. */
function edit(file: string, replacements: readonly [from: string, to: string][]): void {
  let text = readFileSync(file, 'utf8');
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`${file} does not contain: ${from}\n${text}`);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
}

/** Opens the status of orders and gives PAID an event of its own; adds the fixture's commands, if it has some. */
export function editCatalogue(directory: string): void {
  const commands = existsSync(path.join(directory, 'src', 'commands.ts'));
  edit(path.join(directory, 'src', 'signals', 'catalogue.ts'), [
    ['import { ', `${commands ? "import { commands } from '../commands';\n" : ''}import { list, oneOf, `],
    ["status: restricted('status'),", "status: oneOf('status', 'operational', ['OPEN', 'PAID']),"],
    ["changed: ['status', 'total', 'tags', 'userId']", "changed: ['total']"],
    ["tags: restricted('tags'),", "tags: list(text('tags', 'operational')),"],
    [
      "'order.created': { on: 'create', carries: ['id'] }",
      "'order.created': { on: 'create', carries: ['id', 'tags'] }",
    ],
    [
      "'order.deleted'",
      "'order.paid': { on: 'update', when: { becomes: { field: 'status', value: 'PAID' } }, carries: ['id', 'status'] },\n    'order.deleted'",
    ],
    ...(commands ? ([['aggregates: [', 'commands,\n  aggregates: [']] as [string, string][]) : []),
  ]);
}

/** Adds a consumer that greets each new user once, with a client of its own. */
export function editConfig(directory: string): void {
  const generated = existsSync(path.join(directory, 'src', 'generated'));
  edit(path.join(directory, 'signalbox.config.ts'), [
    [
      'import { defineConfig',
      `import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '${generated ? './src/generated/prisma/client' : '@prisma/client'}';
import { contextComments } from 'signalbox/prisma';
import { defineConfig`,
    ],
    [
      '  catalogue,\n',
      `  catalogue,
  createClient: ({ databaseUrl, poolSize, source }) =>
    new PrismaClient({
      adapter: new PrismaPg({ connectionString: databaseUrl, max: poolSize }),
      comments: [contextComments({ source })],
    }),
  consumers: [
    {
      name: 'welcome',
      summary: 'greets new users',
      create: () => ({
        handlers: {
          'user.created': async ({ data }, { tx }) => {
            await tx.user.updateMany({ where: { id: data.user_id }, data: { name: 'Welcome' } });
          },
        },
      }),
    },
  ],
`,
    ],
  ]);
}
