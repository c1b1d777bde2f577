/** Certificates made on the spot: fixtures would run out of date one day. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const day = 86_400_000;

/** A certificate authority of its own. */
export async function createAuthority(name: string): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** A certificate that the authority has signed, for 127.0.0.1 unless another host is named. */
export async function createCertificate(
  authority: Certificate,
  { host, expired = false }: { readonly host?: string; readonly expired?: boolean } = {},
): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: host ?? '127.0.0.1' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: authority,
    notBeforeDate: new Date(Date.now() - 30 * day),
    notAfterDate: new Date(Date.now() + (expired ? -day : day)),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [host === undefined ? { type: 7, ip: '127.0.0.1' } : { type: 2, value: host }],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** Writes a text to a file of the directory; resolves to its path. */
export async function fileWith(directory: string, name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}
