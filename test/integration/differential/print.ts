import { inspect } from 'node:util';
import type { Item, Step, Write } from './steps';

/* A sequence as one would write it by hand, so that a failure can be read and tried. */

const shown = (value: unknown): string =>
  inspect(value, { depth: 12, breakLength: Infinity, compact: 100, maxStringLength: 60 });

/** Each write is printed for every database that it is made on. */
const printed = new WeakMap<Write, string>();

export function printWrite(write: Write): string {
  const text = printed.get(write) ?? `${write.model}.${write.action}(${shown(write.args)})`;
  printed.set(write, text);
  return text;
}

function printItem(item: Item, indent: string): string[] {
  const tail = 'caught' in item && item.caught ? '.catch(() => {});' : ';';
  switch (item.kind) {
    case 'write':
      return [`${indent}await tx.${printWrite(item.write)}${tail}`];
    case 'append':
      return [
        `${indent}await tx.$append('email.send', ${shown({ aggregateId: item.aggregateId, data: item.data })})${tail}`,
      ];
    case 'together':
      return [
        `${indent}await Promise.allSettled([ // started in different turns of the event loop`,
        ...item.writes.map((write) => `${indent}  tx.${printWrite(write)},`),
        `${indent}]);`,
      ];
    case 'nested':
      return [
        `${indent}await tx.$transaction(async (tx) => {`,
        ...printItems(item.items, item.end, `${indent}  `),
        `${indent}})${tail}`,
      ];
  }
}

function printItems(items: readonly Item[], end: 'commit' | 'throw', indent: string): string[] {
  const thrown = end === 'throw' ? [`${indent}throw new Error('roll back');`] : [];
  return [...items.flatMap((item) => printItem(item, indent)), ...thrown];
}

export function printStep(step: Step): string {
  const context = Object.keys(step.context).length === 0 ? '' : ` // context ${shown(step.context)}`;
  switch (step.kind) {
    case 'alone':
      return `await prisma.${printWrite(step.write)};${context}`;
    case 'batch':
      return [
        `await prisma.$transaction([${context}`,
        ...step.writes.map((write) => `  prisma.${printWrite(write)},`),
        ']);',
      ].join('\n');
    case 'interactive': {
      const options = step.isolationLevel ? `, { isolationLevel: '${step.isolationLevel}' }` : '';
      const lines = printItems(step.items, step.end, '  ');
      return [`await prisma.$transaction(async (tx) => {${context}`, ...lines, `}${options});`].join('\n');
    }
  }
}

export function printSequence(steps: readonly Step[]): string {
  return steps.map((step, nr) => `/* ${nr + 1} */ ${printStep(step)}`).join('\n');
}
