/** The configuration of brokers that are their own controllers, for one developer or one test run. */

export interface ServerProperties {
  readonly brokerPort: number;
  readonly controllerPort: number;
  readonly logDirectory: string;
  /** They win over what follows from the ports. */
  readonly settings: Readonly<Record<string, string>>;
}

export const singleNode = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'CLIENT',
  'controller.listener.names': 'CONTROLLER',
  // A topic that is missing has to be noticed.
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  // The first consumer group makes the broker create this topic: 50 partitions, the default, take seconds. One is read
  // in whole before any group is served, so a broker that has served one group will serve every group.
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '2',
  // By default a new group waits 3 s for more members.
  'group.initial.rebalance.delay.ms': '0',
  // Tests of dying consumers need not wait 6 s.
  'group.min.session.timeout.ms': '500',
  // A broker that was killed may come back only when the controller has given up its former self, after 9 s by default.
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
  'num.network.threads': '2',
  'num.io.threads': '4',
  // The cleaner takes 128 MB by default, a quarter of the heap.
  'log.cleaner.dedupe.buffer.size': String(8 * 1024 * 1024),
};

/** For a broker that is the only one. */
export function standalone(controllerPort: number): Record<string, string> {
  return { ...singleNode, 'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}` };
}

/** The same for each of several brokers; what a topic does not say itself is as in production. */
export function clusterOf(brokers: number): Record<string, string> {
  const replicas = String(brokers);
  return {
    ...singleNode,
    'default.replication.factor': replicas,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'share.coordinator.state.topic.replication.factor': replicas,
  };
}

export function renderServerProperties(properties: ServerProperties): string {
  const { brokerPort, controllerPort, logDirectory, settings } = properties;
  const client = `CLIENT://127.0.0.1:${brokerPort}`;
  const all: Record<string, string> = {
    listeners: `${client},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': client,
    'log.dirs': logDirectory,
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/** The controller's port in a rendered file: it is part of what the data directory was formatted with. */
export function readControllerPort(file: string): number | undefined {
  const port = /^controller\.quorum\.bootstrap\.servers=127\.0\.0\.1:(\d+)$/m.exec(file)?.[1];
  return port === undefined ? undefined : Number(port);
}
