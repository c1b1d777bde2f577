import { readFileSync } from 'node:fs';
import path from 'node:path';

const pages = ['frameworks.md', 'testing.md'].map((page) =>
  readFileSync(path.resolve(__dirname, '../../../docs', page), 'utf8'),
);
const fixtures = path.resolve(__dirname, '../../adopt/fixtures');
const blocks = pages.flatMap((page) =>
  [...page.matchAll(/```ts from=(\S+)\n([\s\S]*?)```/g)].map(([, file = '', code = '']) => [file, code]),
);

it.each(blocks)('the pages of frameworks and of testing show %s as the application has it', (file, code) => {
  expect(code).toBe(readFileSync(path.join(fixtures, file), 'utf8'));
});

it('each framework, and each runner of tests, has a block', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(9);
});
