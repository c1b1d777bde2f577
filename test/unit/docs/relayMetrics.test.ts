import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { observeOutbox } from '../../../src/outbox/observeOutbox';
import { createRelayMetrics, observeTopics } from '../../../src/relay/metrics';
import { silentLogger } from '../../support/logger';

test('every metric of relay and consumers is in the operations guide, beside the question that it answers', () => {
  const registry = new Registry();
  createRelayMetrics(registry);
  createConsumerMetrics(registry);
  observeTopics(registry, [], { topicTroubles: new Map() });
  observeOutbox(registry, new Pool(), silentLogger());
  const guide = readFileSync(path.resolve(__dirname, '../../../docs/operations.md'), 'utf8');
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !guide.includes(`\`${name}`))).toEqual([]);
});
