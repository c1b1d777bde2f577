import { OpenApiGeneratorV31, OpenAPIRegistry, type RouteConfig } from '@asteasolutions/zod-to-openapi';

const description = `Patients and appointments of HealthCore. Every change is answered when it is stored, together with
its events, in one database transaction; a relay brings the events to Kafka afterwards.

The API ships no authentication: put a gateway in front of it that authenticates, sets \`x-actor-id\` and removes that
header from what callers send. Problems are told as RFC 9457 documents.`;

/** The OpenAPI 3.1 document, from the schemas that requests are checked against. */
export function openApiDocument(operations: readonly RouteConfig[]) {
  const registry = new OpenAPIRegistry();
  for (const operation of operations) registry.registerPath(operation);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'HealthCore API', version: '1.0.0', description },
    servers: [{ url: '/' }],
  });
}
