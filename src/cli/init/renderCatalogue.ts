import type { CapturableModel, ModelField } from './models';
import { camel } from './names';

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
  const { type } = model;
  const others = model.fields.filter(({ name }) => !model.key.includes(name));
  const key = model.key.map((name) => `'${name}'`).join(', ');
  const identifiers = keyFieldsOf(model).map(
    (field) => `    ${field.name}: ${declared(field, 'identifier')},`,
  );
  const closed = others.map((field) => `    ${field.name}: restricted('${field.as}'), // ${opened(field)}`);
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
const variableOf = ({ type }: CapturableModel): string => `${camel(type)}Signals`;

const keyFieldsOf = ({ key, fields }: CapturableModel): readonly ModelField[] =>
  key.flatMap((id) => fields.filter(({ name }) => name === id));

/** How the field is declared when its value may be in events. */
function opened(field: ModelField): string {
  const sensitivity = ['text', 'json', 'bytes', 'date'].includes(field.maker) ? 'personal' : 'operational';
  const maker = declared(field, sensitivity);
  if (field.list) return `list(${maker})`;
  return field.nullable ? `nullable(${maker})` : maker;
}

function declared({ maker, values, as }: ModelField, sensitivity: string): string {
  const list = values === undefined ? '' : `, [${values.map((value) => `'${value}'`).join(', ')}]`;
  return `${maker}('${as}', '${sensitivity}'${list})`;
}
