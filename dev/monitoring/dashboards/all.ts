import { format } from 'prettier';
import { api } from './api';
import { consumers } from './consumers';
import { kafka } from './kafka';
import { outboxRelay } from './outboxRelay';
import { type Dashboard, render } from './panel';

export const dashboards: readonly Dashboard[] = [outboxRelay, consumers, api, kafka];

/** The text of a dashboard's file. */
export function renderFile(dashboard: Dashboard): Promise<string> {
  return format(JSON.stringify(render(dashboard)), { parser: 'json', printWidth: 110 });
}
