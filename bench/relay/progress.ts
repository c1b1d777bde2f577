/** Says on standard error what is being done, on one line, if somebody is looking. */
export function progress(doing: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${doing ? `${doing} …` : ''}`);
}
