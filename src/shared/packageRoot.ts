import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of this package: the nearest above with a package.json, from the sources, compiled or installed. */
export function packageRoot(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (folder === path.dirname(folder)) throw new Error('This copy of signalbox lacks its package.json.');
  }
}
