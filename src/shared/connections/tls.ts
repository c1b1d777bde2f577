import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { UrlParameters } from './urlParameters';

/** As pg takes it: false for none, or what is passed to tls.connect. */
export type Tls = false | ConnectionOptions;

/**
 * How the connection is encrypted; undefined when the URL says nothing of it. Certificates are verified unless the URL
 * says that they are not: `require` means less to libpq, but pg has always verified for it.
 *
 * `sslcert` means two things. With `sslkey` it is the client's certificate, as for libpq; alone it is the server's
 * authority, as for Prisma, whose certificate of the client is `sslidentity`.
 */
export function readTls(parameters: UrlParameters, problem: (text: string) => Error): Tls | undefined {
  const { sslmode, ssl, sslaccept, sslcert, sslkey, sslrootcert, sslidentity, sslpassword } = parameters;
  if (sslmode === 'disable' || ssl === false) return false;
  const wanted = [
    sslmode,
    ssl,
    sslaccept,
    sslcert,
    sslkey,
    sslrootcert,
    sslidentity,
    parameters.sslnegotiation,
  ];
  if (wanted.every((value) => value === undefined)) return undefined;
  if (sslkey !== undefined && sslcert === undefined) throw problem('the parameter "sslkey" needs sslcert');
  const read = (name: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      throw problem(`the parameter "${name}": the file ${path.resolve(file)} can't be read (${code})`);
    }
  };
  const authority = sslrootcert ?? (sslkey === undefined ? sslcert : undefined);
  const authorityName = sslrootcert === undefined ? 'sslcert' : 'sslrootcert';
  return {
    ...(authority !== undefined && authority !== 'system' && { ca: read(authorityName, authority) }),
    ...(sslkey !== undefined &&
      sslcert !== undefined && { cert: read('sslcert', sslcert), key: read('sslkey', sslkey) }),
    ...(sslidentity !== undefined && { pfx: read('sslidentity', sslidentity) }),
    ...(sslpassword !== undefined && { passphrase: sslpassword }),
    ...((sslmode === 'no-verify' || sslaccept === 'accept_invalid_certs') && { rejectUnauthorized: false }),
    // The chain is verified, the host's name is not.
    ...(sslmode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}
