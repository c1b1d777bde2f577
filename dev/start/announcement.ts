import type { Settings } from './settings';

export interface Addresses {
  readonly databaseUrl: string;
  readonly brokers: string;
}

/**
 * What is printed when all parts are ready. Its first line begins with `Signalbox is ready`: scripts wait for it.
 * `unique` makes the address in the example new each time, because no two patients may share one.
 */
export function announcement(settings: Settings, addresses: Addresses, unique: string): string {
  const host = ['0.0.0.0', '::', '127.0.0.1'].includes(settings.HOST) ? 'localhost' : settings.HOST;
  const url = (port: number): string => `http://${host}:${port}`;
  const api = url(settings.PORT);
  const kafka = `KAFKA_BOOTSTRAP_SERVERS=${quote(addresses.brokers)}`;
  return `
Signalbox is ready: ${api}/api/v1/patients

Create a patient in a second terminal and watch the event arrive here, in the lines of "console":

  curl -X POST ${api}/api/v1/patients \\
    -H 'Content-Type: application/json' \\
    -d '{"name": "Test Patient", "email": "test.${unique}@example.com"}'

More to try:

  API documentation   ${api}/docs
  Metrics             ${api}/metrics (API), ${url(settings.RELAY_PORT)}/metrics (relay), ${url(settings.CONSUMERS_PORT)}/metrics (consumers)
  All events so far   ${kafka} npm run console -- --from-beginning
  Database            ${quote(withoutPassword(addresses.databaseUrl))}

Ctrl-C stops everything. The data stay; "npm start -- --fresh" begins anew.
`;
}

/** As one word of a POSIX shell, whatever it holds. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

const passwordParameters = /([?&](?:password|sslpassword)=)[^&]*/g;

/** A terminal's history is no place for a password. */
function withoutPassword(databaseUrl: string): string {
  return databaseUrl
    .replace(/^(\w+:\/\/[^:/?#]*):[^/?#]*(?=@)/, '$1:***')
    .replaceAll(passwordParameters, '$1***');
}
