import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { getAbsoluteFSPath } from 'swagger-ui-dist';
import type { Route } from '../http/routes';

/*
 * Swagger UI from the installed package: nothing is fetched from elsewhere, and the content security policy says so.
 */

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>HealthCore API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" href="/docs/favicon-32x32.png" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/initialise.js"></script>
  </body>
</html>
`;
const script = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null });\n`;
// The UI sets inline styles and uses images as data.
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

/** /openapi.json and /docs. */
export function documentationRoutes(document: object): Route[] {
  return [
    { method: 'get', path: '/openapi.json', handle: async () => ({ status: 200, body: document }) },
    text('/docs', 'text/html', page),
    text('/docs/initialise.js', 'text/javascript', script),
    ...Object.entries(assets).map(([file, type]): Route => ({
      method: 'get',
      path: `/docs/${file}`,
      handle: async () => ({
        status: 200,
        body: await readFile(path.join(getAbsoluteFSPath(), file)),
        headers: headers(type),
      }),
    })),
  ];
}

function text(routePath: string, type: string, body: string): Route {
  return {
    method: 'get',
    path: routePath,
    handle: async () => ({ status: 200, body, headers: headers(type) }),
  };
}

function headers(type: string): Record<string, string> {
  return { 'content-type': type, 'content-security-policy': policy };
}
