import { comparePositions, type LogRow } from '../../outbox/log/readPage';

/** Reads the next rows of one lane after a position; fewer than asked for when there are no more. */
export type ReadLane = (lane: number, after: string) => Promise<LogRow[]>;

interface Source {
  readonly lane: number;
  rows: LogRow[];
  ended: boolean;
}

/**
 * The rows of all lanes in the order of their positions. Each lane is read page by page, so that memory stays flat, and
 * along its index, which a statement for all lanes would have to sort.
 */
export async function* mergeLanes(
  lanes: readonly number[],
  { after, pageRows }: { after: string; pageRows: number },
  read: ReadLane,
): AsyncGenerator<LogRow, void, undefined> {
  const sources = lanes.map((lane): Source => ({ lane, rows: [], ended: false }));
  const fill = async (source: Source, from: string): Promise<void> => {
    source.rows = await read(source.lane, from);
    source.ended = source.rows.length < pageRows;
  };
  for (const source of sources) await fill(source, after);
  for (let source = lowest(sources); source; source = lowest(sources)) {
    const row = source.rows.shift();
    if (!row) return;
    if (source.rows.length === 0 && !source.ended) await fill(source, row.position);
    yield row;
  }
}

function lowest(sources: readonly Source[]): Source | undefined {
  let found: Source | undefined;
  let position = '';
  for (const source of sources) {
    const [first] = source.rows;
    if (first && (!found || comparePositions(first.position, position) < 0)) {
      found = source;
      ({ position } = first);
    }
  }
  return found;
}
