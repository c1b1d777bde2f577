import { aPatient, startApi, type TestApi } from './startApi';

interface Page {
  items: { id: string }[];
  next_cursor: string | null;
}

const path = '/api/v1/patients';
let api: TestApi;
let ids: string[];

beforeAll(async () => {
  api = await startApi();
  ids = [];
  for (let index = 0; index < 25; index += 1) {
    const { body } = await api.http.post(path).send(aPatient()).expect(201);
    ids.push((body as { id: string }).id);
  }
});
afterAll(() => api.stop());

async function read(query: Record<string, string | number>): Promise<Page> {
  const { body } = await api.http.get(path).query(query).expect(200);
  return body as Page;
}

const idsOf = (page: Page): string[] => page.items.map(({ id }) => id);

it('answers 20 items unless asked for another number, oldest first', async () => {
  expect(idsOf(await read({}))).toEqual(ids.slice(0, 20));
  expect(idsOf(await read({ limit: 1 }))).toEqual(ids.slice(0, 1));
  expect(idsOf(await read({ limit: 100 }))).toEqual(ids);
});

it.each([1, 7, 24, 25])('shows every item once when read in pages of %d', async (limit) => {
  const seen: string[] = [];
  let page = await read({ limit });
  seen.push(...idsOf(page));
  while (page.next_cursor !== null) {
    page = await read({ limit, cursor: page.next_cursor });
    expect(page.items.length).toBeGreaterThan(0);
    seen.push(...idsOf(page));
  }
  expect(seen).toEqual(ids);
});

it('goes on behind the last item that was shown, even when that is deleted and others are added', async () => {
  const first = await read({ limit: 10 });
  await api.http.delete(`${path}/${ids[9]}`).expect(204);
  const { body } = await api.http.post(path).send(aPatient());
  const added = (body as { id: string }).id;
  const rest = await read({ limit: 100, cursor: first.next_cursor ?? '' });
  expect(idsOf(rest)).toEqual([...ids.slice(10), added]);
  expect(rest.next_cursor).toBeNull();
});
