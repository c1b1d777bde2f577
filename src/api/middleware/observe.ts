import type { RequestHandler } from 'express';
import { Histogram, type Registry } from 'prom-client';
import type { Logger } from 'signalbox/service';
import { routeOf } from '../http/routes';
import { correlationIdOf } from '../http/correlationId';

/** Asked for every few seconds by machines; worth a line only when somebody debugs. */
const probes = new Set(['/livez', '/readyz', '/metrics']);

/**
 * One log line and one observation per request, when its answer is out or the caller is gone. Both name the route's
 * pattern, never the URL, and no header, parameter or body: those may hold a patient's data.
 */
export function observe({ logger, metrics }: { logger: Logger; metrics: Registry }): RequestHandler {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  });
  return (request, response, next) => {
    const start = process.hrtime.bigint();
    response.once('close', () => {
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      const { method } = request;
      const route = routeOf(response);
      // 499, as nginx calls it: the caller left before there was an answer.
      const status = response.headersSent ? response.statusCode : 499;
      duration.observe({ method, route, status }, ms / 1000);
      const line = {
        method,
        route,
        status,
        ms: Math.round(ms * 10) / 10,
        correlationId: correlationIdOf(response),
      };
      logger[probes.has(route) ? 'debug' : 'info'](line, 'request');
    });
    next();
  };
}
