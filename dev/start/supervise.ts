/**
 * Starts all parts, keeps them running and stops them.
 *
 * Order: Postgres with its migrations beside the broker, API and relay, then those that read from Kafka. Stopping goes the
 * opposite way, one after the other, so that each finds what it needs until it has ended. Whatever ends the run (a
 * signal, a part that did not start, one that keeps failing), everything that was started is stopped.
 */
import { join } from 'node:path';
import type { Logger } from '../../src/shared/logger';
import { UserError } from '../../src/shared/lifecycle';
import { OtherHistoryError } from '../../src/shared/migrate/bookkeeping';
import { migrate } from '../../src/shared/migrate/migrate';
import type { Addresses } from './announcement';
import type { DataDirectory } from './dataDirectory';
import { Keeper } from './keeper';
import { nodeProgram } from './nodeProgram';
import type { Output } from './output';
import type { Part } from './part';
import { postgresPart } from './postgresPart';
import { brokerProgram, type Program, servicePrograms } from './programs';
import type { Settings } from './settings';

export interface SuperviseOptions {
  readonly root: string;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: DataDirectory;
  readonly output: Output;
  readonly loggerOf: (part: string) => Logger;
}

export class Supervisor {
  readonly #keepers: Keeper[] = [];
  #failed: (error: Error) => void = () => undefined;
  #stopped = false;

  /** Never resolves; rejects when a part can't be kept running. */
  readonly failed = new Promise<never>((_resolve, reject) => {
    this.#failed = reject;
  });

  constructor(private readonly options: SuperviseOptions) {
    this.failed.catch(() => undefined);
  }

  /** Resolves when every part is ready. */
  async start(): Promise<Addresses> {
    const [databaseUrl, brokers] = await Promise.all([this.#startDatabase(), this.#startBroker()]);
    const { settings, environment, output } = this.options;
    const childEnvironment = {
      ...environment,
      DATABASE_URL: databaseUrl,
      KAFKA_BOOTSTRAP_SERVERS: brokers,
      HOST: settings.HOST,
    };
    for (const wave of servicePrograms(settings, output.pretty)) {
      await Promise.all(wave.map((program) => this.#keep(this.#child(program, childEnvironment))));
    }
    return { databaseUrl, brokers };
  }

  /** Stops everything in the opposite order; also while it is still starting. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const keeper of this.#keepers.toReversed()) await keeper.stop();
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopped = true;
    for (const keeper of this.#keepers.toReversed()) keeper.kill();
  }

  async #startDatabase(): Promise<string> {
    const { root, settings, directory, loggerOf } = this.options;
    let databaseUrl = settings.DATABASE_URL ?? '';
    if (settings.DATABASE_URL === undefined) {
      const onReady = (url: string): void => void (databaseUrl = url);
      const [port, logger] = [settings.EMBEDDED_POSTGRES_PORT, loggerOf('postgres')];
      await this.#keep(postgresPart({ dataDir: directory.postgres, port, logger, onReady }));
    }
    await migrate({
      databaseUrl,
      directory: join(root, 'prisma/migrations'),
      logger: loggerOf('signalbox'),
    }).catch((error: unknown) => {
      if (!(error instanceof OtherHistoryError) || settings.DATABASE_URL !== undefined) throw error;
      throw new UserError(
        `The data in ${directory.postgres} are of an earlier version, which this one cannot go on from. Start anew with: npm start -- --fresh`,
        { cause: error },
      );
    });
    return databaseUrl;
  }

  async #startBroker(): Promise<string> {
    const { settings, environment, directory } = this.options;
    const given = settings.KAFKA_BOOTSTRAP_SERVERS;
    if (given !== undefined) return given.join(',');
    const port = settings.EMBEDDED_KAFKA_PORT;
    await this.#keep(this.#child(brokerProgram(port, directory.kafka), environment));
    return `127.0.0.1:${port}`;
  }

  async #keep(part: Part): Promise<void> {
    if (this.#stopped) return;
    const keeper = new Keeper(part, this.options.loggerOf('signalbox'));
    this.#keepers.push(keeper);
    keeper.failed.catch(this.#failed);
    await keeper.start();
  }

  #child(program: Program, environment: NodeJS.ProcessEnv): Part {
    const { root, output, directory } = this.options;
    return nodeProgram({
      ...program,
      cwd: root,
      environment,
      readyWithinMs: 60_000,
      stopWithinMs: 15_000,
      onLine: (line) => output.line(program.name, line),
      readable: (line) => output.readable(line),
      onSpawn: (pid) => directory.processes.add(program.name, pid),
      onExit: (pid) => directory.processes.remove(pid),
    });
  }
}
