import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { relayNodeFlags } from '../../../src/relay/nodeFlags';

describe('the flags of Node for the relay', () => {
  const flags = relayNodeFlags.join(' ');

  it('are given by npm run relay', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { relay: string } };
    expect(scripts.relay).toContain(
      `node ${flags} dist/src/cli/main.js --config dist/signalbox.config.js relay`,
    );
  });

  it('are given by docker-compose.yml', () => {
    const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
      services: { relay: { command: string[] } };
    };
    expect(services.relay.command).toEqual([
      'node',
      ...relayNodeFlags,
      'dist/src/cli/main.js',
      '--config',
      'dist/signalbox.config.js',
      'relay',
    ]);
  });
});
