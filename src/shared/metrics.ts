import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * How often the event loop's delay is looked at, in milliseconds; the figures contain it. The usual 10 wake an idle
 * process a hundred times a second, which is half of what an idle relay costs.
 */
const eventLoopMonitoringPrecision = 50;

/** A registry with the process's own figures. Each module declares its metrics on the registry it is given. */
export function createMetrics(program: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ program });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision });
  return registry;
}
