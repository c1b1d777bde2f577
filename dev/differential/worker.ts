/**
 * A process that runs the parts it is given, one after the other, on databases of its own. It ends when the program that
 * started it lets go of it.
 */
import type { Subject } from '../../test/integration/differential/databases';
import { explore, type Part } from '../../test/integration/differential/explore';
import { type PlanName, plans } from '../../test/integration/differential/plans';
import type { Tally } from '../../test/integration/differential/tally';

export type Message =
  | { readonly kind: 'ran'; readonly tally: Tally }
  /** A sequence has diverged; simpler ones are tried now. */
  | { readonly kind: 'diverged' }
  /** The part has been run. */
  | { readonly kind: 'done'; readonly difference: string | undefined };

const say = (message: Message): void => void process.send?.(message);

let opened: { readonly plan: PlanName; readonly subjects: readonly Subject[] } | undefined;
let busy = false;

async function close(): Promise<void> {
  await Promise.all((opened?.subjects ?? []).map((subject) => subject.close()));
  opened = undefined;
}

/** Opening takes longer than many a sequence, so what is open serves the next part too. */
async function open(plan: PlanName): Promise<readonly Subject[]> {
  if (opened?.plan !== plan) {
    await close();
    opened = { plan, subjects: await plans[plan].open() };
  }
  return opened.subjects;
}

async function run(part: Part): Promise<void> {
  busy = true;
  const difference = await explore(await open(part.plan), part, {
    ran: (tally) => say({ kind: 'ran', tally }),
    diverged: () => say({ kind: 'diverged' }),
  });
  busy = false;
  say({ kind: 'done', difference });
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

process.on('message', (part: Part) => void run(part).catch(fail));
// Whoever lets go in the middle of a part wants no more of it.
process.on('disconnect', () => {
  if (busy) process.exit();
  close().then(() => process.exit(), fail);
});
// Ctrl-C reaches us too; it is for the program that started us to end us.
process.on('SIGINT', () => undefined);
