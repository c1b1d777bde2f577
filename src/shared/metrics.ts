import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry with the process's own figures. Each module declares its metrics on the registry it is given. */
export function createMetrics(program: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ program });
  collectDefaultMetrics({ register: registry });
  return registry;
}
