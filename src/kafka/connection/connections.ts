/*
 * The sockets of one Kafka client. kafkajs lets us make them, and so the reason of a failure is known here before
 * kafkajs turns it into "no broker available". A reason counts until the broker answers properly again.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { answersPlainly, type Endpoint, offeredMechanisms, speaksTls } from './probe';
import {
  hungUp,
  plainPort,
  saslPort,
  silent,
  type TlsFiles,
  tlsPort,
  type Trouble,
  troubleOf,
} from './trouble';

export interface ConnectionsOptions {
  readonly files: TlsFiles;
  /** Whether this client authenticates with SASL. */
  readonly sasl: boolean;
}

interface SocketRequest {
  readonly host: string;
  readonly port: number;
  /** The options of TLS, where it is to be spoken. */
  readonly ssl: object;
  readonly onConnect: () => void;
}

const keepAliveMs = 60_000;
/** A broker that asks for something we lack answers which versions it speaks, and then hangs up. */
const properAnswers = 2;

export class Connections {
  /** By broker, the latest last. */
  readonly #troubles = new Map<string, Trouble>();
  #worked = false;
  /** Questions to brokers that are under way. */
  readonly #questions = new Set<Promise<unknown>>();

  constructor(private readonly options: ConnectionsOptions) {}

  /** What failed last, unless that broker has answered since. */
  get trouble(): Trouble | undefined {
    return [...this.#troubles.values()].at(-1);
  }

  /** Whether any broker has ever answered properly: then what fails now may be a change under way, and heal. */
  get worked(): boolean {
    return this.#worked;
  }

  /** The brokers to begin with, those in trouble last: connecting to a frozen one takes as long as a request may. */
  inOrder(brokers: readonly string[]): string[] {
    const inTrouble = (broker: string): number => Number(this.#troubles.has(broker));
    return brokers.toSorted((a, b) => inTrouble(a) - inTrouble(b));
  }

  /** Resolves when the reasons of failures so far are known, as far as brokers can be asked for them. */
  async reasonsKnown(): Promise<void> {
    await Promise.all(this.#questions);
  }

  /** A request to the broker was not answered in time. */
  reportSilence(broker: string): void {
    this.#fail(silent(broker));
  }

  /** Makes the socket to a broker; `onConnect` is called when it can be used. */
  readonly open = ({ host, port, ssl, onConnect }: SocketRequest): Socket => {
    const tls = ssl as ConnectionOptions | undefined;
    const options = { host, port, ...(tls && !isIP(host) ? { servername: host } : {}), ...tls };
    const socket = tls ? connectTls(options, onConnect) : connectPlain({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    this.#watch(socket, { host, port, ...(tls ? { tls: options } : {}) });
    return socket;
  };

  #watch(socket: Socket, endpoint: Endpoint): void {
    const broker = `${endpoint.host}:${endpoint.port}`;
    let answers = 0;
    const onData = (): void => {
      answers += 1;
      if (answers < properAnswers) return;
      socket.off('data', onData);
      this.#worked = true;
      this.#troubles.delete(broker);
    };
    socket.on('data', onData);
    socket.on('error', (error) => {
      const trouble = troubleOf(error, broker, this.options.files);
      this.#fail(trouble);
      if (!trouble.permanent && answers === 0) this.#findReason(endpoint, broker);
    });
    socket.on('end', () => {
      if (answers >= properAnswers) return;
      this.#fail(hungUp(broker, this.options.files));
      this.#findReason(endpoint, broker);
    });
  }

  #fail(trouble: Trouble): void {
    const { broker, permanent } = trouble;
    // A reason that was found by asking outlives the symptom by which it shows.
    if (!permanent && this.#troubles.get(broker)?.permanent) return;
    this.#troubles.delete(broker);
    this.#troubles.set(broker, trouble);
  }

  /** A program that tries again need not wait for it: its next attempt will know. */
  #findReason(endpoint: Endpoint, broker: string): void {
    const reason = async (): Promise<Trouble | undefined> => {
      if (endpoint.tls && (await answersPlainly(endpoint))) return plainPort(broker);
      if (!endpoint.tls && (await speaksTls(endpoint))) return tlsPort(broker);
      const mechanisms = this.options.sasl ? undefined : await offeredMechanisms(endpoint);
      return mechanisms && saslPort(broker, mechanisms);
    };
    const question = reason()
      .then((trouble) => trouble && this.#troubles.has(broker) && this.#fail(trouble))
      .finally(() => this.#questions.delete(question));
    this.#questions.add(question);
  }
}
