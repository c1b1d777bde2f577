/* The expressions of the rules and dashboards under deploy/, for tests. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { findProjectRoot } from '../kafka/projectRoot';

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export interface Expression {
  /** For people: which rule or panel. */
  readonly where: string;
  readonly expr: string;
}

/** The directory deploy/ of this project. */
export const deployDirectory = path.join(findProjectRoot(__dirname), 'deploy');
export const rulesFile = path.join(deployDirectory, 'prometheus/rules/signalbox.yml');

/** The recording and alert rules. */
export function readRules(): Rules {
  return parse(readFileSync(rulesFile, 'utf8')) as Rules;
}

/** The names of all alerts. */
export function alertNames(): string[] {
  return rulesOf(readRules()).flatMap(({ alert }) => alert ?? []);
}

export const rulesOf = ({ groups }: Rules): Rule[] => groups.flatMap(({ rules }) => rules);

interface DashboardFile {
  readonly title: string;
  readonly panels: readonly { readonly title: string; readonly targets: readonly { expr: string }[] }[];
}

/** What every rule and every panel asks Prometheus for. */
export function allExpressions(): Expression[] {
  const ofRules = rulesOf(readRules()).map(({ record, alert, expr }) => ({
    where: record ?? alert ?? '',
    expr,
  }));
  const directory = path.join(deployDirectory, 'grafana/dashboards');
  const files = readdirSync(directory).map(
    (file) => JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as DashboardFile,
  );
  const ofPanels = files.flatMap(({ title, panels }) =>
    panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ where: `${title}, ${panel.title}`, expr }))),
  );
  return [...ofRules, ...ofPanels];
}

const words = new Set(['by', 'on', 'and', 'or', 'unless', 'bool', 'ignoring', 'without', 'vector']);

/** The metrics that an expression reads. */
export function metricNames(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|on|ignoring|without)\s*\([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)].map(([name]) => name);
  return [...new Set(names)].filter((name) => !words.has(name) && !/^e\d+$/.test(name));
}
