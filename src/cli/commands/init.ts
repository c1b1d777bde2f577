import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { writeMigration } from '../../outbox/prisma/trigger/writeMigration';
import { runCommand } from '../../shared/commandLine';
import { UserError } from '../../shared/lifecycle';
import type { Frame } from '../frame';
import { missingModels, type Plan, planInit, writeFiles } from '../init/init';

interface Options {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly models?: string;
  readonly schema?: string;
}

/** `signalbox init`. */
export function initCommand(frame: Frame): Command {
  return new Command('init')
    .description(
      'Sets Signalbox up in a Prisma project: writes a catalogue of the models, signalbox.config.ts and a migration, and says which lines of code to add. What exists is never overwritten; a second run changes nothing.',
    )
    .option('--yes', 'capture every model that can be, and ask nothing', false)
    .option('--models <names>', 'capture these models only, separated by commas')
    .option('--schema <path>', 'the Prisma schema: its file, or the folder of its files')
    .option('--dry-run', 'show what would be written, and write nothing', false)
    .action((options: Options) => runCommand('init', () => init(frame, options)));
}

async function init(frame: Frame, options: Options): Promise<number> {
  const { stdout, directory } = frame;
  const models = options.models?.split(',').map((name) => name.trim());
  const given = options.schema === undefined ? {} : { schema: options.schema };
  const plan = await planInit(directory, {
    ...given,
    models: models ?? (await askModels(frame, options, given)),
  });
  for (const { name, reason } of plan.models.others) stdout.write(`Left out: ${name}: ${reason}.\n`);
  show(frame, plan);
  if (options.dryRun) return 0;
  if (plan.files.size > 0 && !options.yes && !(await agrees(frame, 'Write this?'))) return 1;
  writeFiles(plan);
  return finish(frame, plan);
}

/** After the files are there: the migration, which needs the catalogue as a value, and what is left to do. */
async function finish(frame: Frame, plan: Plan): Promise<number> {
  const { config, schema, migrations } = await frame.project();
  const { aggregates } = config.catalogue;
  const { message } = await writeMigration(aggregates, { schema, migrations, check: false });
  frame.stdout.write(`${message}\n`);
  const missing = missingModels(
    plan,
    aggregates.map(({ model }) => model),
  );
  if (plan.files.size > 0) frame.stdout.write(`\n${plan.advice}`);
  else if (missing.names.length > 0)
    frame.stdout.write(
      `The catalogue is without ${missing.names.join(', ')}. To capture them, add and name under aggregates:\n\n${missing.code}`,
    );
  return 0;
}

function show({ stdout }: Frame, { files }: Plan): void {
  const green = (text: string): string => styleText('green', text, { stream: stdout });
  for (const [file, text] of files) {
    stdout.write(`${styleText('bold', file, { stream: stdout })}\n`);
    for (const line of text.trimEnd().split('\n')) stdout.write(`${green(`+ ${line}`)}\n`);
    stdout.write('\n');
  }
}

/** Which models, of a person at a terminal; undefined for all. */
async function askModels(
  frame: Frame,
  { yes, dryRun }: Options,
  given: { readonly schema?: string },
): Promise<string[] | undefined> {
  if (yes || dryRun) return undefined;
  const { models, files } = await planInit(frame.directory, given);
  if (files.size === 0) return undefined;
  const names = models.capturable.map(({ name }) => name).join(', ');
  const answer = await ask(frame, `Models: ${names}\nWhich of them? (separated by commas; Enter for all) `);
  return answer.trim() === '' ? undefined : answer.split(',').map((name) => name.trim());
}

const agrees = async (frame: Frame, question: string): Promise<boolean> =>
  /^(y(es)?)?$/i.test((await ask(frame, `${question} [Y/n] `)).trim());

async function ask({ stdin, stdout }: Frame, question: string): Promise<string> {
  if (!('isTTY' in stdin) || stdin.isTTY !== true)
    throw new UserError('init asks at a terminal only: add --yes, and --models for some of the models.');
  const terminal = createInterface({ input: stdin, output: stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
