/* Expressions that several panels are made of. `$__rate_interval` is Grafana's: four scrapes at least. */

/** Quantiles of a histogram, one line for each, over all series or for one label. */
export function quantiles(histogram: string, selector = ''): Record<string, string> {
  return Object.fromEntries(
    [0.5, 0.95, 0.99].map((quantile) => [
      `p${quantile * 100}`,
      `histogram_quantile(${quantile}, sum by (le) (${rate(`${histogram}_bucket${selector}`)}))`,
    ]),
  );
}

/** A quantile of a histogram for each value of a label. */
export function quantileBy(quantile: number, label: string, histogram: string): string {
  return `histogram_quantile(${quantile}, sum by (le, ${label}) (${rate(`${histogram}_bucket`)}))`;
}

/** The mean of a histogram for each value of a label. */
export function meanBy(label: string, histogram: string): string {
  return `${rateBy(label, `${histogram}_sum`)} / ${rateBy(label, `${histogram}_count`)}`;
}

export const rate = (selector: string): string => `rate(${selector}[$__rate_interval])`;
export const rateBy = (label: string, selector: string): string => `sum by (${label}) (${rate(selector)})`;

/** What every program of ours shows of itself. */
export function processLines(job: string): Record<'cpu' | 'memory' | 'eventLoop', Record<string, string>> {
  const only = `{job="${job}"}`;
  return {
    cpu: { '{{instance}}': rate(`process_cpu_seconds_total${only}`) },
    memory: { '{{instance}}': `process_resident_memory_bytes${only}` },
    eventLoop: { '{{instance}}': `nodejs_eventloop_lag_p99_seconds${only}` },
  };
}
