/** One variant in a process of its own, started by measure.ts; it ends when the channel to its parent closes. */
import { createLogger } from '../../src/shared/logger';
import { type VariantOptions, variants } from './variants';

const [name = '', options = '{}'] = process.argv.slice(2);
const start = variants[name];
if (!start) throw new Error(`There is no variant "${name}".`);
process.on('disconnect', () => process.exit());
// Processor time tells more than the clock on a machine that others use too.
setInterval(() => {
  // The parent may have closed the channel a moment ago.
  process.send?.(process.cpuUsage(), undefined, undefined, () => undefined);
}, 20);
void start({
  ...(JSON.parse(options) as Omit<VariantOptions, 'logger'>),
  logger: createLogger({ level: 'error', name: 'bench' }),
});
