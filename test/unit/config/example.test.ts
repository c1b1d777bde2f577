import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { groups, renderExample } from '../../../dev/environment/renderExample';
import { allVariables } from '../../../src/shared/config/variables';

const example = readFileSync('.env.example', 'utf8');

describe('.env.example', () => {
  it('is what variables.ts says (else: npm run build && node dist/dev/environment/main.js)', () => {
    expect(example).toBe(renderExample());
  });

  it('names every variable once', () => {
    const named = [...example.matchAll(/^# ([A-Z][A-Z0-9_]+)=/gm)].map(([, name = '']) => name);
    expect(named).toHaveLength(new Set(named).size);
    expect(named).toEqual(expect.arrayContaining(Object.keys(allVariables)));
  });

  it('changes nothing when it is copied as it is', () => {
    expect(parseEnv(example)).toEqual({});
  });

  it('shows values that are accepted', () => {
    const uncommented = parseEnv(example.replaceAll(/^# (?=[A-Z][A-Z0-9_]+=)/gm, ''));
    for (const { variables } of groups) {
      for (const [name, schema] of Object.entries(variables)) {
        expect(() => schema.parse(uncommented[name] || undefined)).not.toThrow();
      }
    }
  });

  it('describes every variable', () => {
    for (const { variables } of groups) {
      for (const [name, { description }] of Object.entries(variables)) {
        expect({ name, description }).toEqual({ name, description: expect.stringMatching(/\w+ \w+/) });
      }
    }
  });
});
