import { Pool } from 'pg';
import { type Horizon, pageRequest } from '../../../src/outbox/log/cursor';
import { readPages } from '../../../src/outbox/log/readPage';
import { parseSnapshot } from '../../../src/outbox/log/snapshot';

const limits = { rows: 10, pageBytes: 1_000, dataBytes: 1_000 };

function moment(snapshot: string, xid: bigint, position: bigint): Horizon {
  return { snapshot: parseSnapshot(snapshot), xid, floor: position, ceiling: position };
}

let asked: number[][];
let database: Pool;

beforeEach(() => {
  asked = [];
  database = new Pool({ max: 1 });
  const query = async ({ values }: { values: number[][] }): Promise<{ rows: never[] }> => {
    asked.push(values[0] ?? []);
    return { rows: [] };
  };
  database.query = query as unknown as Pool['query'];
});

test('nothing is asked of an outbox in which nothing happened', async () => {
  const requests = [0, 1].map((lane) =>
    pageRequest(lane, { done: moment('90:90:', 90n, 7n) }, moment('95:95:', 95n, 7n)),
  );
  const pages = await readPages(database, requests, limits);
  expect(pages.map(({ request, rows, full }) => [request.lane, rows, full])).toEqual([
    [0, [], false],
    [1, [], false],
  ]);
  expect(asked).toEqual([]);
});

test('a new position, a transaction that has ended, or a batch in work is looked into', async () => {
  const now = moment('95:95:', 95n, 7n);
  const quiet = pageRequest(0, { done: moment('90:90:', 90n, 7n) }, now);
  const drawn = pageRequest(1, { done: moment('90:90:', 90n, 6n) }, now);
  const listed = pageRequest(2, { done: moment('80:90:80', 90n, 7n) }, now);
  const unlisted = pageRequest(3, { done: moment('89:89:', 90n, 7n) }, now);
  const batch = { horizon: moment('90:90:', 90n, 7n), position: 5n };
  const inWork = pageRequest(4, { done: moment('80:80:', 80n, 3n), batch }, now);
  const pages = await readPages(database, [quiet, drawn, listed, unlisted, inWork], limits);
  expect(asked).toEqual([[1, 2, 3, 4]]);
  expect(pages.map(({ request }) => request.lane)).toEqual([0, 1, 2, 3, 4]);
});
