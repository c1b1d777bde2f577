import { CaptureError } from '../captureError';

/** The first minor of Prisma 7 with which an engine works. */
const firstMinor = { trigger: 1, middleware: 5 } as const;
const major = 7;

/**
 * Refuses a version of Prisma's client on which an engine would misbehave: below 7.5 transactions of extended clients and
 * `$append` fail, below 7.1 statements carry no context.
 * @throws CaptureError that names the version and the way out.
 */
export function assertPrismaVersion(version: string, engine: keyof typeof firstMinor): void {
  const [, found, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  const first = firstMinor[engine];
  if (Number(found) === major && Number(minor) >= first) return;
  throw new CaptureError(
    `The ${engine} engine works with Prisma ${major}.${first} and later versions of ${major}, and @prisma/client is ${version}: install another version${found === String(major) && engine === 'middleware' ? ', or use the trigger engine' : ''}.`,
  );
}

/** The version of the package that a client was made by; `unknown` for what is not a client of Prisma's. */
export function versionOf(client: object): string {
  const { _clientVersion: version } = client as { readonly _clientVersion?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
