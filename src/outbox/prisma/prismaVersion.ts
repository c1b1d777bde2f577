import { CaptureError } from '../captureError';

const major = 7;
/** Before it, Prisma's clients of transactions do not say to which transaction they belong. */
const firstMinor = 5;

/**
 * Refuses a version of Prisma's client on which `$append` and transactions of the engines would fail. The triggers alone,
 * with `contextComments` and without any engine in the program, work from 7.1 on.
 * @throws CaptureError that names the version and the way out.
 */
export function assertPrismaVersion(client: object): void {
  const version = versionOf(client);
  const [, found, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  if (Number(found) === major && Number(minor) >= firstMinor) return;
  const triggersAlone =
    Number(found) === major && Number(minor) >= 1
      ? ', or leave capture to the triggers alone: a client with contextComments, which is not passed to withSignals'
      : '';
  throw new CaptureError(
    `Capture works with Prisma ${major}.${firstMinor} and later versions of ${major}, and @prisma/client is ${version}: install another version${triggersAlone}.`,
  );
}

/** The version of the package that a client was made by; `unknown` for what is not a client of Prisma's. */
function versionOf(client: object): string {
  const { _clientVersion: version } = client as { readonly _clientVersion?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
