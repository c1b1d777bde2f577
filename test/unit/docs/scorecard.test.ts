import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chapters } from '../../../dev/scorecard/capabilities';
import { missingTests, render } from '../../../dev/scorecard/render';

const root = path.resolve(__dirname, '../../..');

describe('the scorecard', () => {
  it('names tests that exist', () => {
    expect(missingTests(chapters, root)).toEqual([]);
  });

  it('is what the list of capabilities says: run "npm run scorecard"', () => {
    expect(readFileSync(path.join(root, 'docs/scorecard.md'), 'utf8')).toBe(render(chapters));
  });
});
