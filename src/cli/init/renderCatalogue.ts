import type { CapturableModel, ModelField } from './models';

/** `OrderItem` is `order_item`. */
export const snake = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();

const camel = (name: string): string => name.slice(0, 1).toLowerCase() + name.slice(1);

/** The catalogue of a new project: its events say that rows came, changed and went, and no field's value but the key. */
export function renderCatalogue(models: readonly CapturableModel[]): string {
  const makers = new Set(models.map(keyMaker));
  const imports = ['defineAggregate', 'defineCatalogue', ...makers, 'restricted'].toSorted();
  return `import { ${imports.join(', ')} } from 'signalbox';

/*
 * What this application has to say. A restricted field is in no event: one says that it changed, never to what. To open a
 * field, declare it as its comment shows and name it under \`carries\`; then run: npx signalbox sync
 * "personal" may be in events, never in logs, metrics or headers; "operational" describes the business.
 */

${models.map(renderAggregate).join('\n')}
/** Everything that this application has to say. */
export const catalogue = defineCatalogue({
  aggregates: [${models.map(variableOf).join(', ')}],
});
`;
}

/** The declaration of one model. */
export function renderAggregate(model: CapturableModel): string {
  const type = snake(model.name);
  const others = model.fields.filter(({ name }) => name !== model.key);
  const updated =
    others.length === 0
      ? ''
      : `    '${type}.updated': {
      on: 'update',
      when: { changed: [${others.map(({ name }) => `'${name}'`).join(', ')}] },
      carries: ['${model.key}'],
      changedFields: true,
    },
`;
  return `export const ${variableOf(model)} = defineAggregate({
  type: '${type}',
  model: '${model.name}',
  key: '${model.key}',
  version: '1.0',
  fields: {
    ${model.key}: ${keyMaker(model)}('${keyAs(model)}', 'identifier'),
${others.map((field) => `    ${field.name}: restricted('${snake(field.name)}'), // ${opened(field)}\n`).join('')}  },
  events: {
    '${type}.created': { on: 'create', carries: ['${model.key}'] },
${updated}    '${type}.deleted': { on: 'delete', carries: ['${model.key}'] },
  },
});
`;
}

/** A name that no word of the language takes. */
const variableOf = ({ name }: CapturableModel): string => `${camel(name)}Signals`;

const keyMaker = ({ key, fields }: CapturableModel): string =>
  fields.find(({ name }) => name === key)?.maker ?? 'text';

/** `id` is `order_id` in the events of orders, unless another field has that name there. */
function keyAs({ name, key, fields }: CapturableModel): string {
  const qualified = `${snake(name)}_id`;
  const isTaken = fields.some((field) => field.name !== key && snake(field.name) === qualified);
  return key === 'id' && !isTaken ? qualified : snake(key);
}

/** How the field is declared when its value may be in events. */
function opened({ name, maker, values, nullable }: ModelField): string {
  const sensitivity = ['text', 'json', 'bytes', 'date'].includes(maker) ? 'personal' : 'operational';
  const list = values === undefined ? '' : `, [${values.map((value) => `'${value}'`).join(', ')}]`;
  const field = `${maker}('${snake(name)}', '${sensitivity}'${list})`;
  return nullable ? `nullable(${field})` : field;
}
