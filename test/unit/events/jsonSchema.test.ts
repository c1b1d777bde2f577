import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { renderSchemas, schemaDirectory } from '../../../src/cli/commands/schemas';
import { catalogue } from '../../../src/healthcore/catalogue';
import { jsonSchemaOf } from '../../../src/events/jsonSchema';
import { parseEnvelope } from '../../../src/events/envelope';
import { eventOf, patientCreated } from '../../support/events';

const directory = path.resolve(__dirname, '../../..', schemaDirectory);

test('the published schemas are those of the catalogue; npm run schemas writes them anew', () => {
  const published = readdirSync(directory).map((name) => [
    name,
    readFileSync(path.join(directory, name), 'utf8'),
  ]);
  expect(Object.fromEntries(published)).toEqual(Object.fromEntries(renderSchemas(catalogue)));
});

const ajv = new Ajv2020({ strict: true, allErrors: true });
addFormats(ajv);

test.each(catalogue.eventTypes)('the schema of %s is a valid one, and knows it by its type', (eventType) => {
  const schema = jsonSchemaOf(catalogue, eventType);
  expect(ajv.validateSchema(schema)).toBe(true);
  expect(schema).toMatchObject({ properties: { event_type: { const: eventType } } });
});

describe('schema and consumers agree', () => {
  const patient = patientCreated();
  const email = eventOf('email.send', { to: 'ada@example.com', subject: 'Hello', text: '' });
  const wrong = (change: object): object => ({ ...patient, ...change });

  test.each<[string, object]>([
    ['a patient', patient],
    ['an e-mail', email],
    ['a field that is not known yet', wrong({ data: { ...patient.data, nickname: 'A' }, later: true })],
    ['metadata that are not known yet', wrong({ metadata: { ...patient.metadata, region: 'eu' } })],
    ['an event id that is none', wrong({ event_id: '1' })],
    ['a sequence that is a number', wrong({ metadata: { ...patient.metadata, sequence: 7 } })],
    ['a sequence with a letter', wrong({ metadata: { ...patient.metadata, sequence: '7a' } })],
    ['no metadata', wrong({ metadata: undefined })],
    ['a time that is none', wrong({ timestamp: 'yesterday' })],
    ['a phone that is missing', wrong({ data: { ...patient.data, phone: undefined } })],
    ['a name that is null', wrong({ data: { ...patient.data, name: null } })],
    ['an address that is none', { ...email, data: { ...email.data, to: 'ada' } }],
    ['an empty subject', { ...email, data: { ...email.data, subject: '' } }],
  ])('about %s', (_name, event) => {
    const text = JSON.stringify(event);
    const schema = 'to' in (event as typeof email).data ? 'email.send' : 'patient.created';
    const validate =
      ajv.getSchema(`urn:signalbox:${schema}:1.0`) ?? ajv.compile(jsonSchemaOf(catalogue, schema));
    expect(validate(JSON.parse(text))).toBe(parseEnvelope(catalogue, text).ok);
  });
});
