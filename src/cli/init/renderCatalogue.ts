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
  const makers = new Set(models.flatMap((model) => keyFieldsOf(model).map(({ maker }) => maker)));
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
  const others = model.fields.filter(({ name }) => !model.key.includes(name));
  const key = model.key.map((name) => `'${name}'`).join(', ');
  const identifiers = keyFieldsOf(model).map(
    (field) => `    ${field.name}: ${declared(field, 'identifier', keyAs(model, field.name))},`,
  );
  const closed = others.map(
    (field) => `    ${field.name}: restricted('${snake(field.name)}'), // ${opened(field)}`,
  );
  const updated =
    others.length === 0
      ? ''
      : `    '${type}.updated': {
      on: 'update',
      when: { changed: [${others.map(({ name }) => `'${name}'`).join(', ')}] },
      carries: [${key}],
      changedFields: true,
    },
`;
  return `export const ${variableOf(model)} = defineAggregate({
  type: '${type}',
  model: '${model.name}',
  key: ${model.key.length === 1 ? key : `[${key}]`},
  version: '1.0',
  fields: {
${[...identifiers, ...closed].join('\n')}
  },
  events: {
    '${type}.created': { on: 'create', carries: [${key}] },
${updated}    '${type}.deleted': { on: 'delete', carries: [${key}] },
  },
});
`;
}

/** A name that no word of the language takes. */
const variableOf = ({ name }: CapturableModel): string => `${camel(name)}Signals`;

const keyFieldsOf = ({ key, fields }: CapturableModel): readonly ModelField[] =>
  key.flatMap((id) => fields.filter(({ name }) => name === id));

/** `id` is `order_id` in the events of orders, unless another field has that name there. */
function keyAs({ name, fields }: CapturableModel, key: string): string {
  const qualified = `${snake(name)}_id`;
  const isTaken = fields.some((field) => field.name !== key && snake(field.name) === qualified);
  return key === 'id' && !isTaken ? qualified : snake(key);
}

/** How the field is declared when its value may be in events. */
function opened(field: ModelField): string {
  const sensitivity = ['text', 'json', 'bytes', 'date'].includes(field.maker) ? 'personal' : 'operational';
  const maker = declared(field, sensitivity, snake(field.name));
  if (field.list) return `list(${maker})`;
  return field.nullable ? `nullable(${maker})` : maker;
}

function declared({ maker, values }: ModelField, sensitivity: string, as: string): string {
  const list = values === undefined ? '' : `, [${values.map((value) => `'${value}'`).join(', ')}]`;
  return `${maker}('${as}', '${sensitivity}'${list})`;
}
