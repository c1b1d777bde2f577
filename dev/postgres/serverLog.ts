import { readFile } from 'node:fs/promises';

/** What the server, or initdb, said when it gave up: its first fatal line, else its last line. */
export async function readComplaint(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const fatal = lines.find((line) => /\b(FATAL|PANIC|initdb: error):/.test(line));
  return (fatal ?? lines.at(-1) ?? 'it said nothing').replace(/^.*?\b(FATAL|PANIC|error):\s*/, '').trim();
}
