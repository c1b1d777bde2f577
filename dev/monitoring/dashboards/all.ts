import { api } from './api';
import { consumers } from './consumers';
import { kafka } from './kafka';
import { outboxRelay } from './outboxRelay';
import type { Dashboard } from './panel';

/** All dashboards, each a file of its name under deploy/grafana/dashboards. */
export const dashboards: readonly Dashboard[] = [outboxRelay, consumers, api, kafka];
