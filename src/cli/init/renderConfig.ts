import path from 'node:path';
import { standardSchema } from '../project';
import type { PrismaProject } from './prismaProject';

/** Where the catalogue is, seen from the project. */
export const cataloguePath = ({ sources }: Pick<PrismaProject, 'sources'>): string =>
  path.posix.join(sources, 'signals', 'catalogue.ts');

/** The project's signalbox.config.ts. */
export function renderConfig(project: PrismaProject, catalogue: string): string {
  const { name, schema, migrations, importEnding, directory } = project;
  const places = [
    ...(schema === standardSchema(directory) ? [] : [`  schema: '${schema}',\n`]),
    ...(migrations === 'prisma/migrations' ? [] : [`  migrations: '${migrations}',\n`]),
  ];
  const from = `./${catalogue.replace(/\.ts$/, '')}${importEnding}`;
  return `import { defineConfig } from 'signalbox';
import { catalogue } from '${from}';

export default defineConfig({
  name: '${name}',
  catalogue,
${places.join('')}});
`;
}

/** What is left for a person to write: the client's option, and a line for the context of requests. */
export function renderAdvice({ name, dependencies }: PrismaProject): string {
  const framework = dependencies.has('express')
    ? `Before the routes, the line that brings each request's context into its events:

  import { requestContext } from 'signalbox/express';
  app.use(requestContext());`
    : `Around each request or job, who asked for it:

  import { contextFromHeaders, withContext } from 'signalbox';
  await withContext(contextFromHeaders(request.headers, { actor }), () => handle(request));`;
  return `Where the Prisma client is made, the option that brings that context to the triggers:

  import { contextComments } from 'signalbox/prisma';
  new PrismaClient({ adapter, comments: [contextComments({ source: '${name}' })] });

${framework}

Then apply the migration (npx prisma migrate deploy, or npx signalbox migrate), and see events come:

  npx signalbox relay
  npx signalbox console --from-beginning
`;
}
