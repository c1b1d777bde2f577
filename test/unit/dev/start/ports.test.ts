import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { portProblems } from '../../../../dev/start/ports';

const servers: Server[] = [];
const host = '127.0.0.1';

async function takePort(address = host): Promise<number> {
  const server = createServer().listen(0, address);
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const port = await takePort();
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return port;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('the look at the ports', () => {
  it('names every port that is taken, and the variable that moves it', async () => {
    const [one, two, free] = [await takePort(), await takePort(), await freePort()];
    const problems = await portProblems([
      { port: one, host, user: 'the API', variable: 'PORT' },
      { port: free, host, user: 'the relay', variable: 'RELAY_PORT' },
      { port: two, host, user: 'Postgres', variable: 'EMBEDDED_POSTGRES_PORT' },
    ]);
    expect(problems).toEqual([
      `Port ${one}, wanted by the API, is taken by another program: free it, or set PORT to another port.`,
      `Port ${two}, wanted by Postgres, is taken by another program: free it, or set EMBEDDED_POSTGRES_PORT to another port.`,
    ]);
  });

  it('notices a program that listens on all addresses', async () => {
    const port = await takePort('0.0.0.0');
    expect(await portProblems([{ port, host, user: 'the API', variable: 'PORT' }])).toHaveLength(1);
  });

  it('notices two of our own that were given the same port', async () => {
    const port = await freePort();
    const problems = await portProblems([
      { port, host, user: 'the API', variable: 'PORT' },
      { port, host, user: 'the relay', variable: 'RELAY_PORT' },
    ]);
    expect(problems).toEqual([
      `Port ${port} is given to both the API (PORT) and the relay (RELAY_PORT): change one of them.`,
    ]);
  });

  it('says so when the address is not one of this machine', async () => {
    const port = await freePort();
    const wanted = { port, host: '203.0.113.1', user: 'the API', variable: 'PORT' };
    expect(await portProblems([wanted])).toEqual([
      "203.0.113.1 is not an address of this machine, so the API can't listen there: set HOST to one that is.",
    ]);
  });

  it('leaves free ports free', async () => {
    const port = await freePort();
    const wanted = [{ port, host, user: 'the API', variable: 'PORT' }];
    expect(await portProblems(wanted)).toEqual([]);
    expect(await portProblems(wanted)).toEqual([]);
  });
});
