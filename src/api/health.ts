import type { Registry } from 'prom-client';
import { checkReadiness, type ReadinessCheck, runWithoutGate } from 'signalbox/service';
import type { Route } from './http/routes';

/**
 * For whoever runs the process. Alive: it answers. Ready: it can serve a request now, which does not depend on Kafka
 * or on how much waits in the outbox.
 */
export function healthRoutes(metrics: Registry, readiness: readonly ReadinessCheck[]): Route[] {
  return [
    { method: 'get', path: '/livez', handle: async () => ({ status: 200, body: { ok: true } }) },
    {
      method: 'get',
      path: '/readyz',
      handle: async () => {
        // Probes share a check that hangs, so the end of one of them must not end it.
        const outcome = await runWithoutGate(() => checkReadiness(readiness));
        return { status: outcome.ready ? 200 : 503, body: outcome };
      },
    },
    {
      method: 'get',
      path: '/metrics',
      handle: async () => ({
        status: 200,
        body: await metrics.metrics(),
        headers: { 'content-type': metrics.contentType },
      }),
    },
  ];
}
