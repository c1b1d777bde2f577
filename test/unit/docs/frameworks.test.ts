import { readFileSync } from 'node:fs';
import path from 'node:path';

const page = readFileSync(path.resolve(__dirname, '../../../docs/frameworks.md'), 'utf8');
const fixtures = path.resolve(__dirname, '../../adopt/fixtures');
const blocks = [...page.matchAll(/```ts from=(\S+)\n([\s\S]*?)```/g)].map(([, file = '', code = '']) => [
  file,
  code,
]);

it.each(blocks)('the page of frameworks shows %s as the application has it', (file, code) => {
  expect(code).toBe(readFileSync(path.join(fixtures, file), 'utf8'));
});

it('each framework has a block', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(7);
});
