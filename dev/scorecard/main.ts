import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { chapters } from './capabilities';
import { missingTests, render } from './render';

/* Writes docs/scorecard.md; fails when the list names a test that is not there. */

const root = path.resolve(__dirname, '../../..');
const missing = missingTests(chapters, root);
if (missing.length > 0) {
  process.stderr.write(`There are no such tests:\n  ${missing.join('\n  ')}\n`);
  process.exitCode = 1;
} else {
  writeFileSync(path.join(root, 'docs/scorecard.md'), render(chapters));
  process.stdout.write('Wrote docs/scorecard.md.\n');
}
