/** The public surface as text: each subpath's names with their declarations, as the compiler emits them. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Renders the report of the subpaths, whose declarations lie below `folder`. */
export function renderReport(folder: string, subpaths: readonly string[]): string {
  const sections = subpaths.map((subpath) => {
    const declarations = exportsOf(path.join(folder, 'public', `${subpath}.d.ts`));
    const name = subpath === 'index' ? 'signalbox' : `signalbox/${subpath}`;
    return `## ${name}\n\n\`\`\`ts\n${declarations.join('\n\n')}\n\`\`\`\n`;
  });
  return `${head}\n${sections.join('\n')}`;
}

const head = `# The public surface

Everything that the package exports, by subpath; what is not here may change in any version. This page is made by
\`npm run api:report\`, and CI compares it: a change of it is a change for users, and belongs into the
[changelog](../CHANGELOG.md).
`;

/** The declarations that a file of re-exports names, in the order of their names. */
function exportsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';/gm)];
  return lists
    .flatMap(([, names = '', from = '']) =>
      names
        .split(',')
        .map((name) => name.replace(/\btype\b/, '').trim())
        .filter((name) => name !== '')
        .map((name): [string, string] => [name, from]),
    )
    .sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .map(([name, from]) => declarationOf(name, path.resolve(path.dirname(file), from)));
}

/** @throws Error when a name that is exported is declared nowhere. */
function declarationOf(name: string, module: string): string {
  const file = [`${module}.d.ts`, path.join(module, 'index.d.ts')].find((each) => existsSync(each)) ?? module;
  const statements = statementsOf(readFileSync(file, 'utf8'));
  const declares = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type) ${name}\\b`,
  );
  const passesOn = new RegExp(`^export (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\}`);
  const found = statements.filter((statement) => declares.test(statement) || passesOn.test(statement));
  if (found.length === 0) throw new Error(`${file} does not declare ${name}`);
  return found.map(tidy).join('\n');
}

/** The statements of a declaration file: each begins at the margin, and ends where the next one or a comment begins. */
function statementsOf(text: string): string[] {
  const withoutComments = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\n/gm, '');
  return withoutComments.split(/^(?=\S)(?![})\]>&|?:])/m);
}

/** Private members are nobody's business. */
const tidy = (statement: string): string =>
  statement
    .replaceAll(/^ {4}(?:#private|private [^\n]*);?\n/gm, '')
    .replace(/^export declare /, 'export ')
    .trimEnd();
