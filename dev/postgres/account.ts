/** Postgres refuses to run as root. As root it is run as the user that owns the data already, else as `nobody`. */
import { execFile } from 'node:child_process';
import { chown, lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresStartError } from './errors';

const run = promisify(execFile);

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account to run the server under; undefined: our own. */
export async function chooseAccount(dataDir: string): Promise<Account | undefined> {
  const ourUid = process.getuid?.();
  const owner = await ownerOf(join(dataDir, 'PG_VERSION'));
  if (ourUid === 0) return owner !== undefined && owner.uid !== 0 ? owner : nobody();
  if (owner !== undefined && owner.uid !== ourUid) {
    throw new PostgresStartError(
      'bad-directory',
      `The data in ${dataDir} belongs to user ${owner.uid}, but this program runs as user ${ourUid}: it was probably first started as root. Give it away (sudo chown -R ${ourUid} ${dirname(dataDir)}), start as root again, or delete it.`,
    );
  }
  return undefined;
}

/** Makes `directory` and all in it the account's own. */
export async function handOver(directory: string, account: Account | undefined): Promise<void> {
  if (account === undefined) return;
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await handOver(path, account);
    else if ((await lstat(path)).uid !== account.uid && entry.isFile())
      await chown(path, account.uid, account.gid);
  }
  await chown(directory, account.uid, account.gid);
}

async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code !== 'EACCES') throw error;
    throw new PostgresStartError(
      'bad-directory',
      `${dirname(path)} belongs to another user and may not be entered. Start as that user, or choose another data directory.`,
      { cause: error },
    );
  }
}

async function nobody(): Promise<Account> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => run('id', [flag, 'nobody'])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}
