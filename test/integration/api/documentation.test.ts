import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { createApp, routesOf } from '../../../src/api/app';
import { anAppointment, bookAppointment, startApi, type TestApi } from './startApi';

type Json = Record<string, unknown>;
interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}
interface Document {
  openapi: string;
  info: Json;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

let api: TestApi;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  api = await startApi();
  document = (await api.http.get('/openapi.json').expect(200)).body as Document;
  ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
  ajv.addSchema({ $id: 'doc', ...document });
});
afterAll(() => api.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** The schemas of the document refer to each other by `#/components/…`, which is inside "doc". */
function validator(schema: Json) {
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')) as Json);
}

function expectValid(schema: Json | undefined, value: unknown): void {
  const validate = validator(schema ?? { not: {} });
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 with what every operation must have', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations()) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(inPath.every(({ required }) => required === true)).toBe(true);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['503']));
      for (const { description } of Object.values(operation.responses)) expect(description).not.toBe('');
    }
  });

  it('holds JSON schemas that compile, and no reference to nowhere', () => {
    const schemas = operations().flatMap(({ operation }) =>
      [operation.requestBody, ...Object.values(operation.responses)]
        .flatMap((message) => Object.values(message?.content ?? {}))
        .map(({ schema }) => schema),
    );
    expect(schemas.length).toBeGreaterThan(50);
    for (const schema of schemas) validator(schema);
  });

  it('describes exactly the operations that the API has', () => {
    const dependencies = {} as Parameters<typeof createApp>[0];
    const served = routesOf(dependencies)
      .filter(({ path }) => path.startsWith('/api/'))
      .map(({ method, path }) => `${method} ${path.replace(':id', '{id}')}`);
    expect(
      operations()
        .map(({ method, path }) => `${method} ${path}`)
        .sort(),
    ).toEqual(served.sort());
  });

  it('describes the answers that are given', async () => {
    const appointment = await bookAppointment(api);
    const schemaOf = (path: string, method: string, status: number, type = 'application/json') =>
      document.paths[path]?.[method]?.responses[status]?.content?.[type]?.schema;
    expectValid(schemaOf('/api/v1/appointments', 'post', 201), appointment);
    const patients = await api.http.get('/api/v1/patients').expect(200);
    expectValid(schemaOf('/api/v1/patients', 'get', 200), patients.body);
    const refused = await api.http.post('/api/v1/patients').send({ name: 1 }).expect(422);
    expectValid(schemaOf('/api/v1/patients', 'post', 422, 'application/problem+json'), refused.body);
    const busy = await api.http
      .post('/api/v1/appointments')
      .send(anAppointment(appointment['patient_id'] ?? '', { practitioner: appointment['practitioner'] }))
      .expect(409);
    expectValid(schemaOf('/api/v1/appointments', 'post', 409, 'application/problem+json'), busy.body);
  });

  it('accepts the bodies that the API accepts, and refuses what lacks a required field', () => {
    const schema =
      document.paths['/api/v1/patients']?.['post']?.requestBody?.content['application/json']?.schema;
    expectValid(schema, { name: 'x', email: 'x@example.com', date_of_birth: '2000-01-01', phone: null });
    expect(validator(schema ?? {})({ name: 'x' })).toBe(false);
  });
});

describe('/docs', () => {
  it('is a page that fetches nothing from elsewhere', async () => {
    const { text, headers } = await api.http.get('/docs').expect(200);
    expect(headers['content-type']).toMatch(/^text\/html/);
    expect(headers['content-security-policy']).toMatch(/default-src 'self'/);
    const addresses = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address]) => address ?? '');
    expect(addresses).toHaveLength(4);
    for (const address of addresses) {
      expect(address).toMatch(/^\/docs\//);
      await api.http.get(address).expect(200);
    }
    await api.http.get('/docs/').expect(200);
  });
});
