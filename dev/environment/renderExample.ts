/** The text of `.env.example`, made from src/shared/config/variables.ts, so that neither can lack what the other has. */
import { z } from 'zod';
import { apiVariables } from '../../src/api/variables';
import { reminderVariables } from '../../src/healthcore/consumers/variables';
import {
  captureVariables,
  commonVariables,
  consumerVariables,
  kafkaVariables,
  relayVariables,
  serverVariables,
} from '../../src/shared/config/variables';
import config from '../../signalbox.config';
import { defaultsOf } from '../../src/cli/project';
import { startVariables } from '../start/settings';

type Variables = Readonly<Record<string, z.ZodType>>;

/** Every variable, in the order of the file. */
export const groups: readonly { title: string; variables: Variables }[] = [
  { title: 'All programs', variables: commonVariables },
  { title: 'Programs that write through Prisma: API and consumers', variables: captureVariables },
  { title: 'Programs that talk to Kafka: relay, consumers, console, ops', variables: kafkaVariables },
  { title: 'All servers', variables: serverVariables },
  { title: 'The API', variables: apiVariables },
  { title: 'The relay', variables: relayVariables },
  { title: 'The consumers', variables: consumerVariables },
  { title: "HealthCore's own consumers", variables: reminderVariables },
  { title: 'npm start (where HOST is 127.0.0.1 by default)', variables: startVariables },
];

/** What HealthCore's configuration says where a variable is not set. */
const defaults: Readonly<Record<string, string>> = defaultsOf(config);

/** What a person might write, for variables that have no default. */
const examples: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgresql://signalbox:password@localhost:5432/signalbox',
  KAFKA_BOOTSTRAP_SERVERS: 'localhost:9092',
};

const head = `# Every variable that Signalbox reads, with its default. Copy this file to .env and uncomment what you change;
# variables that are set already win over the file. All programs check theirs when they start and report all problems
# at once. This file is made by: npm run build && node dist/dev/environment/main.js
`;

export function renderExample(): string {
  const sections = groups.map(({ title, variables }) => {
    const entries = Object.entries(variables).map(([name, schema]) => renderVariable(name, schema));
    return [`# ---- ${title}`, ...entries].join('\n\n');
  });
  return `${[head.trimEnd(), ...sections].join('\n\n')}\n`;
}

function renderVariable(name: string, schema: z.ZodType): string {
  const byDefault = schema.safeParse(defaults[name]);
  const value = byDefault.success ? textOf(byDefault.data) : (examples[name] ?? '');
  const required = byDefault.success ? '' : ' (required, except by npm start)';
  return `# ${schema.description ?? ''}${required}${choices(schema)}\n# ${name}=${value}`;
}

/** Undefined is a variable that is simply not set. */
function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function choices(schema: z.ZodType): string {
  const { enum: values } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return values === undefined ? '' : `: ${values.join(', ')}`;
}
