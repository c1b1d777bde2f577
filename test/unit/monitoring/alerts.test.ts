import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import {
  allExpressions,
  alertNames,
  metricNames,
  readRules,
  rulesOf,
} from '../../../dev/monitoring/expressions';
import * as exporters from '../../../dev/monitoring/exporters';
import { dashboards } from '../../../dev/monitoring/dashboards/all';
import { render } from '../../../dev/monitoring/dashboards/panel';
import { Admission, observeAdmission } from '../../../src/api/http/admission';
import { observe } from '../../../src/api/middleware/observe';
import { DeadLetterWatch } from '../../../src/consumers/deadLetters/watch';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { observeOutbox } from '../../../src/outbox/observeOutbox';
import { TriggerWatch } from '../../../src/outbox/prisma/triggerWatch';
import { Janitor } from '../../../src/relay/janitor';
import { createRelayMetrics, observeTopics } from '../../../src/relay/metrics';
import { createMetrics } from '../../../src/shared/metrics';
import { silentLogger } from '../../support/logger';

const root = path.resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const logger = silentLogger();

/** The names under which our programs export figures, as they stand in their answers. */
function ownMetrics(): Set<string> {
  const registries = ['relay', 'consumers', 'api'].map(createMetrics);
  const [relay, consumers, api] = registries as [Registry, Registry, Registry];
  createRelayMetrics(relay);
  observeTopics(relay, [], { topicTroubles: new Map() });
  observeOutbox(relay, new Pool(), logger);
  const declaring: unknown[] = [
    new Janitor({ registry: relay, logger } as ConstructorParameters<typeof Janitor>[0]),
    new DeadLetterWatch({ registry: consumers, logger } as ConstructorParameters<typeof DeadLetterWatch>[0]),
    new TriggerWatch({ engine: 'trigger', inspect: async () => [], registry: api, logger }),
  ];
  expect(declaring).toHaveLength(3);
  createConsumerMetrics(consumers);
  observe({ logger, metrics: api });
  observeAdmission(new Admission({ poolSize: 2, waitingRequests: 1, waitMs: 1 }), api);
  const metrics = registries.flatMap((registry) => registry.getMetricsAsArray());
  return new Set(
    metrics.flatMap(({ name, type }) =>
      (type as unknown) === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    ),
  );
}

test('every metric that a rule or panel reads is one that a program exports, or that a rule records', () => {
  const recorded = rulesOf(readRules()).flatMap(({ record }) => record ?? []);
  const known = new Set([...ownMetrics(), ...recorded, ...Object.values(exporters).flat()]);
  const read = allExpressions().map(({ where, expr }) => ({ where, names: metricNames(expr) }));
  expect(read.length).toBeGreaterThan(100);
  expect(read.filter(({ names }) => names.length === 0 || names.some((name) => !known.has(name)))).toEqual(
    [],
  );
});

test('every metric of an exporter that is listed is one that a rule or panel reads', () => {
  const read = new Set(allExpressions().flatMap(({ expr }) => metricNames(expr)));
  expect(
    Object.values(exporters)
      .flat()
      .filter((name) => !read.has(name)),
  ).toEqual([]);
});

test('every alert has its section among the runbooks, and every section its alert', () => {
  const sections = [...read('docs/runbooks.md').matchAll(/^## (\S+)$/gm)].map(([, name]) => name);
  expect(sections).toEqual(alertNames());
});

test.each(rulesOf(readRules()).filter(({ alert }) => alert !== undefined))(
  '$alert has a severity, a summary, a description and the address of its runbook',
  ({ alert = '', labels, annotations }) => {
    expect(['critical', 'warning']).toContain(labels?.['severity']);
    expect(annotations?.['summary']).toMatch(/\w/);
    expect(annotations?.['description']).toMatch(/\.$/);
    expect(annotations?.['runbook_url']).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
  },
);

test('every runbook says what it means, what users notice, how to look, how to fix and when it is over', () => {
  const [, ...sections] = read('docs/runbooks.md').split(/^## /m);
  const parts = ['Means.', 'Users notice.', 'Look.', 'Fix.', 'Over when'];
  const lacking = sections.filter((text) => parts.some((part) => !text.includes(`**${part}**`)));
  expect(lacking).toEqual([]);
});

test.each(dashboards)('the dashboard $name is what dev/monitoring makes', (dashboard) => {
  expect(JSON.parse(read(`deploy/grafana/dashboards/${dashboard.name}.json`))).toEqual(render(dashboard));
});

test('dashboards name the data source that is provisioned, and lie where the provider looks', () => {
  expect(read('deploy/grafana/provisioning/datasources/prometheus.yml')).toContain(
    'uid: signalbox-prometheus',
  );
  for (const { name } of dashboards)
    expect(read(`deploy/grafana/dashboards/${name}.json`)).toContain('"uid": "signalbox-prometheus"');
});

test('names are found in expressions, and functions, labels and strings are not', () => {
  const expr = 'sum by (le, job) (rate(a_total{b=~"c|d",e!=""}[5m])) > 1e9 and on (f) (g:h:max or vector(0))';
  expect(metricNames(expr)).toEqual(['a_total', 'g:h:max']);
});
