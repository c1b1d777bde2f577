import { existsSync, readFileSync } from 'node:fs';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { apiVariables } from '../../../src/api/variables';
import { reminderVariables } from '../../../src/healthcore/consumers/variables';
import * as ofPackage from '../../../src/shared/config/variables';

const allVariables = { ...ofPackage.allVariables, ...apiVariables, ...reminderVariables };
import composeSpec from '../../fixtures/compose-spec.json';

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean };
  profiles?: string[];
  restart?: string;
  mem_limit?: string;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, null>;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const compose = parse(text, { merge: true }) as Compose;
const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
const ours = Object.entries(compose.services).filter(([, { image }]) => image.startsWith('signalbox'));

describe('docker-compose.yml', () => {
  it('keeps to the Compose Specification', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    // Not asked of formats that only Docker defines.
    ajv.addFormat('ports', true).addFormat('expose', true).addFormat('subnet_ip_address', true);
    const { $schema: _draft07, ...schema } = composeSpec;
    const valid = ajv.validate(schema, compose);
    expect(ajv.errors).toBeNull();
    expect(valid).toBe(true);
  });

  it('pins every image that is not built here to a version', () => {
    const foreign = Object.values(compose.services)
      .map(({ image }) => image)
      .filter((image) => !image.startsWith('signalbox'));
    expect(foreign).toHaveLength(3);
    for (const image of foreign) expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?$/);
  });

  it('sets only variables that our programs know', () => {
    const known = new Set([...Object.keys(allVariables), 'HEALTH_PORT']);
    for (const [name, { environment = {} }] of ours) {
      for (const variable of Object.keys(environment))
        expect({ name, variable, known: known.has(variable) }).toEqual({ name, variable, known: true });
    }
  });

  it('gives our programs values that they accept', () => {
    for (const [, { environment = {} }] of ours) {
      for (const [variable, value] of Object.entries(environment)) {
        const schema = (allVariables as Record<string, { parse(value: string): unknown }>)[variable];
        // As compose does when the variable is not set: ${NAME:-default}.
        const interpolated = String(value).replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
        // An empty value counts as unset.
        if (interpolated !== '') expect(() => schema?.parse(interpolated)).not.toThrow();
      }
    }
  });

  it('takes variables from the environment only under names that are known', () => {
    const names = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    // Those that the images read and our programs do not.
    const ofImages = ['POSTGRES_PASSWORD', 'KAFKA_CLUSTER_ID'];
    const known = new Set([...Object.keys(allVariables), ...ofImages]);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it('serves everything on the ports of the embedded defaults, to this machine only', () => {
    const published = Object.fromEntries(
      Object.entries(compose.services).map(([name, { ports = [] }]) => [name, ports]),
    );
    expect(published).toEqual({
      postgres: ['127.0.0.1:54329:5432'],
      kafka: ['127.0.0.1:29092:29092'],
      migrate: [],
      'kafka-setup': [],
      api: ['127.0.0.1:${PORT:-8000}:8000'],
      relay: ['127.0.0.1:${RELAY_PORT:-8001}:8001'],
      consumers: ['127.0.0.1:${CONSUMERS_PORT:-8002}:8002'],
      'kafka-ui': ['127.0.0.1:8080:8080'],
    });
  });

  it('tells containers and programs on this machine each an address of Kafka that they can reach', () => {
    const kafka = service('kafka').environment ?? {};
    expect(kafka['KAFKA_ADVERTISED_LISTENERS']).toBe('INTERNAL://kafka:9092,EXTERNAL://localhost:29092');
    expect(kafka['KAFKA_LISTENERS']).toBe('INTERNAL://:9092,EXTERNAL://:29092,CONTROLLER://:9093');
    expect(kafka['KAFKA_AUTO_CREATE_TOPICS_ENABLE']).toBe('false');
    for (const name of ['kafka-setup', 'relay', 'consumers']) {
      expect(service(name).environment?.['KAFKA_BOOTSTRAP_SERVERS']).toBe('kafka:9092');
    }
  });

  it('starts the API without Kafka, and the others after migrations and topics', () => {
    expect(Object.keys(service('api').depends_on ?? {})).toEqual(['postgres', 'migrate']);
    expect(Object.keys(service('api').environment ?? {}).filter((name) => name.startsWith('KAFKA'))).toEqual(
      [],
    );
    for (const name of ['relay', 'consumers']) {
      expect(service(name).depends_on).toEqual({
        postgres: { condition: 'service_healthy' },
        migrate: { condition: 'service_completed_successfully' },
        'kafka-setup': { condition: 'service_completed_successfully' },
      });
    }
  });

  it('depends only on services and volumes that it declares', () => {
    const services = Object.keys(compose.services);
    for (const { depends_on = {}, volumes = [] } of Object.values(compose.services)) {
      for (const name of Object.keys(depends_on)) expect(services).toContain(name);
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    }
  });

  it('limits what each service may use, and starts it again when it fails', () => {
    for (const { mem_limit: limit, restart } of Object.values(compose.services)) {
      expect(limit).toMatch(/^\d+m$/);
      expect(restart).toMatch(/^(unless-stopped|on-failure:\d+)$/);
    }
  });

  it('runs programs that exist', () => {
    for (const [name, { command = [] }] of ours) {
      const program = command.find((part) => part.startsWith('dist/')) ?? '';
      expect({ name, exists: existsSync(program.replace(/^dist\//, '').replace(/\.js$/, '.ts')) }).toEqual({
        name,
        exists: true,
      });
    }
  });
});

describe('the image', () => {
  it('is built from one pinned Node, of a version that is supported', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image);
    expect(bases).toHaveLength(3);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:24\.\d+-slim$/);
  });

  it('does not run as root', () => {
    expect(/^USER (\S+)/m.exec(dockerfile)?.[1]).toBe('node');
  });

  it('copies only files that exist and that .dockerignore lets through', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, list = '']) =>
      list.split(' '),
    );
    expect(sources.length).toBeGreaterThan(8);
    for (const source of sources) {
      expect({ source, exists: existsSync(source) }).toEqual({ source, exists: true });
      expect(allowed).toContain(source.split('/')[0]);
    }
  });
});
