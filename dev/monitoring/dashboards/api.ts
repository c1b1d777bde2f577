import { processLines, quantileBy, quantiles, rateBy } from './expressions';
import { type Dashboard, lines, stat } from './panel';

const requests = '{route!~"/livez|/readyz|/metrics"}';
const own = processLines('api');

/** Are requests slow, failing or refused. */
export const api: Dashboard = {
  name: 'api',
  title: 'API',
  description: 'Requests: how many, how long they take, how many fail, and how many wait for the database.',
  panels: [
    stat('Requests per second', 'reqps', 'Without probes.', 'signalbox:api_requests:rate5m'),
    stat('Failed requests', 'percentunit', '5xx, of the last five minutes.', 'signalbox:api_errors:ratio5m', {
      redFrom: 0.05,
    }),
    stat('95th percentile', 's', 'Of the last five minutes.', 'signalbox:api_request_seconds:p95_5m', {
      redFrom: 1,
    }),
    stat('Requests waiting', 'short', 'For their turn to use the database.', 'sum(http_requests_waiting)', {
      redFrom: 1,
    }),
    stat(
      'Refused per second',
      'short',
      'Before they reached the database; without those whose client left.',
      'sum(rate(http_requests_refused_total{reason!="client_left"}[5m]))',
      { redFrom: 0.001 },
    ),
    stat(
      'Triggers in order',
      'short',
      '1 when the capture triggers are as the catalogue wants them.',
      'min(signalbox_capture_triggers_ok)',
      {
        redBelow: 1,
      },
    ),
    lines('Requests per second by route', 'reqps', 'Without probes.', {
      '{{method}} {{route}}': rateBy('method, route', `http_request_duration_seconds_count${requests}`),
    }),
    lines('Requests per second by status', 'reqps', '499: the client left before there was an answer.', {
      '{{status}}': rateBy('status', `http_request_duration_seconds_count${requests}`),
    }),
    lines('Time that requests take', 's', 'Without probes.', {
      ...quantiles('http_request_duration_seconds', requests),
    }),
    lines('Time by route', 's', '95th percentile.', {
      '{{method}} {{route}}': quantileBy(0.95, 'method, route', 'http_request_duration_seconds'),
    }),
    lines('Use of the database', 'short', 'Requests at work, those that wait, and how many may be at work.', {
      'at work': 'sum(http_requests_at_work)',
      waiting: 'sum(http_requests_waiting)',
      limit: 'sum(http_requests_at_work_limit)',
    }),
    lines('Refused requests per second', 'short', 'Answered 503 before they reached the database.', {
      '{{reason}}': rateBy('reason', 'http_requests_refused_total'),
    }),
    lines('CPU of the API', 'percentunit', 'Share of a core.', own.cpu),
    lines('Delay of the event loop', 's', '99th percentile.', own.eventLoop),
    lines('Memory of the API', 'bytes', 'Resident.', own.memory),
    lines(
      'The outbox can be read',
      'short',
      'By each program; 0 while its database or its pool does not answer.',
      {
        '{{job}} {{instance}}': 'signalbox_outbox_readable',
      },
    ),
  ],
};
