import { existsSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../lifecycle';

/**
 * The folder prisma/migrations beside the project, whether this runs from src/ or compiled from dist/, and from
 * whichever directory. @throws UserError when there is none.
 */
export function findMigrations(): string {
  for (let above = __dirname; ; above = path.dirname(above)) {
    const directory = path.join(above, 'prisma', 'migrations');
    if (existsSync(directory)) return directory;
    if (above === path.dirname(above)) {
      throw new UserError('There is no folder prisma/migrations above this program. Is the copy complete?');
    }
  }
}
