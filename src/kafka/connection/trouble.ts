/*
 * What keeps us from a broker, in words for people. kafkajs logs the reason and throws something general, so the
 * reason is taken from the socket itself.
 */

/** Why a connection failed, or was closed before anything useful was answered. */
export interface Trouble {
  /** `host:port` */
  readonly broker: string;
  /** Short and of few values: fit for a metric. */
  readonly type: string;
  /** What happened, without the broker's name and a full stop. */
  readonly words: string;
  /** What to do; a sentence. Absent where only the broker is to be looked at. */
  readonly remedy?: string;
  /** Whether waiting cannot help: a setting or a certificate has to be changed. */
  readonly permanent: boolean;
}

/** The files that TLS is set up with, as the variables name them. */
export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
}

interface SocketError {
  readonly code?: string;
  readonly message: string;
  /** Node's explanation of a host name that does not fit. */
  readonly reason?: string;
}

const unknownAuthority = [
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
];
const outOfTime = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];
/** Alerts by which a server says that it wants another certificate of the client, or one at all. */
const clientCertificate =
  /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|HANDSHAKE_FAILURE)/;
const notTls = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/;
const network: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection',
  ECONNRESET: 'broke off the connection',
  EPIPE: 'broke off the connection',
  ETIMEDOUT: 'does not answer',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ENOTFOUND: 'is a name that nobody knows',
  EAI_AGAIN: 'is a name that could not be looked up',
};

/** What an error of a socket means. */
export function troubleOf(error: SocketError, broker: string, files: TlsFiles): Trouble {
  const code = error.code ?? 'unknown';
  const of = (words: string, remedy: string): Trouble => ({
    broker,
    type: code,
    words,
    remedy,
    permanent: true,
  });
  if (unknownAuthority.includes(code)) {
    const authority = files.ca
      ? `the authority in KAFKA_SSL_CA_FILE="${files.ca}"`
      : 'an authority that Node knows';
    return of(
      `its certificate is not signed by ${authority} (${error.message})`,
      'Set KAFKA_SSL_CA_FILE to the certificate of the authority that signed it.',
    );
  }
  if (outOfTime.includes(code)) {
    return of(`its certificate is out of date (${error.message})`, 'Renew the certificate of the broker.');
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return of(
      `its certificate is for another host (${error.reason ?? error.message})`,
      'Name the broker in KAFKA_BOOTSTRAP_SERVERS, and in its advertised.listeners, as its certificate does.',
    );
  }
  if (clientCertificate.test(code)) return clientCertificateTrouble(code, of, files);
  if (notTls.test(code)) return plainPort(broker, code);
  return { broker, type: code, words: network[code] ?? error.message, permanent: false };
}

function clientCertificateTrouble(
  code: string,
  of: (words: string, remedy: string) => Trouble,
  { cert }: TlsFiles,
): Trouble {
  const alert = code
    .replace(/^ERR_SSL_(\w+_)?ALERT_/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
  const remedy = 'Set KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE to a certificate that it accepts.';
  return cert
    ? of(`it refuses the certificate in KAFKA_SSL_CERT_FILE="${cert}" (${alert})`, remedy)
    : of(`it wants a certificate of this client (${alert})`, remedy);
}

/** TLS was spoken to a port that speaks none. */
export function plainPort(broker: string, type = 'NO_TLS'): Trouble {
  const remedy = 'Use the port of its TLS listener, or set KAFKA_SSL=false.';
  return { broker, type, words: 'it does not speak TLS on this port', remedy, permanent: true };
}

/** A port that speaks TLS was spoken to without. */
export function tlsPort(broker: string): Trouble {
  const remedy = 'Set KAFKA_SSL=true, or use the port of its listener without TLS.';
  return { broker, type: 'TLS_WANTED', words: 'it speaks TLS on this port', remedy, permanent: true };
}

/** A port that asks for SASL was spoken to without. */
export function saslPort(broker: string, mechanisms: readonly string[]): Trouble {
  const names = mechanisms.map((name) => name.toLowerCase()).join(', ');
  const remedy = 'Set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.';
  const words = `it asks for SASL (${names}) on this port`;
  return { broker, type: 'SASL_WANTED', words, remedy, permanent: true };
}

/** The broker closed the connection without a word: one that refuses a certificate may do so. */
export function hungUp(broker: string, { cert }: TlsFiles): Trouble {
  const doubt = cert ? `; does it accept the certificate in KAFKA_SSL_CERT_FILE="${cert}"?` : '';
  const words = `it closed the connection without an answer${doubt}`;
  return { broker, type: 'CLOSED', words, permanent: false };
}

/** It took a request and did not answer: frozen, overloaded, or cut off. */
export function silent(broker: string): Trouble {
  return { broker, type: 'SILENT', words: 'it does not answer', permanent: false };
}

/** One line: the broker, what happened and what to do. */
export function describeTrouble({ broker, words, remedy }: Trouble): string {
  return `${broker}: ${words}${remedy === undefined ? '' : `. ${remedy.replace(/\.$/, '')}`}`;
}
