import fc from 'fast-check';
import { decodeCursor, encodeCursor, toPage } from '../../../src/api/http/pagination';

it('gives back every id that became a cursor', () => {
  fc.assert(fc.property(fc.uuid(), (id) => expect(decodeCursor(encodeCursor(id))).toBe(id)));
});

it('makes cursors that need no escaping in an address', () => {
  fc.assert(fc.property(fc.uuid(), (id) => expect(encodeCursor(id)).toMatch(/^[A-Za-z0-9_-]{23}$/)));
});

it('takes nothing for a cursor that is spelt differently, and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const id = decodeCursor(text);
      if (id !== undefined) expect(encodeCursor(id)).toBe(text);
    }),
  );
});

it('points behind the last item only when there is more', () => {
  const rows = [1, 2, 3].map((n) => ({ id: `00000000-0000-7000-8000-00000000000${n}` }));
  const id = (row: { id: string }) => row.id;
  expect(toPage(rows, 3, id)).toEqual({ items: rows.map(id), next_cursor: null });
  const page = toPage(rows, 2, id);
  expect(page.items).toHaveLength(2);
  expect(decodeCursor(page.next_cursor ?? '')).toBe(rows[1]?.id);
  expect(toPage([], 2, id)).toEqual({ items: [], next_cursor: null });
});
