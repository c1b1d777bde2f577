/*
 * What can be known of an error that came up from the database, whichever layer it surfaced in. Prisma's driver
 * adapter wraps Postgres' errors as `meta.driverAdapterError.cause` ({ originalCode, originalMessage, kind,
 * constraint }); errors at COMMIT, of raw statements and of the pool arrive less wrapped or not at all.
 */
export interface DatabaseFacts {
  /** Prisma's code, e.g. P2002. */
  readonly prismaCode?: string;
  /** Postgres' code, five characters. */
  readonly sqlState?: string;
  /** The Prisma model whose operation failed. */
  readonly model?: string;
  /** The codes of the operating system and the adapter's kinds, e.g. ECONNREFUSED, DatabaseNotReachable. */
  readonly causes: readonly string[];
  /** Messages, for finding a constraint's name. They quote values: never show or log them. */
  readonly messages: readonly string[];
}

const deepest = 6;

/** Reads what an error says of its origin. Anything may be passed; an error of another kind yields few facts. */
export function databaseFactsOf(error: unknown): DatabaseFacts {
  const layers = layersOf(error);
  const texts = (key: string): string[] =>
    layers.map((layer) => layer[key]).filter((value) => typeof value === 'string');
  const codes = [...texts('code'), ...texts('originalCode')];
  const prismaCode = codes.find((code) => /^P\d{4}$/.test(code));
  const sqlState = codes.find((code) => /^[0-9A-Z]{5}$/.test(code) && !/^P[12]\d{3}$/.test(code));
  const model = texts('modelName')[0];
  return {
    ...(prismaCode ? { prismaCode } : {}),
    ...(sqlState && isSqlState(sqlState) ? { sqlState } : {}),
    ...(model ? { model } : {}),
    causes: [...codes, ...texts('kind')],
    messages: [...texts('originalMessage'), ...texts('message'), ...texts('index'), ...texts('constraint')],
  };
}

/** EPIPE has five letters too. */
function isSqlState(code: string): boolean {
  return /\d/.test(code);
}

/** The error, what caused it, and the objects in which the adapter hides details, outermost first. */
function layersOf(error: unknown): Record<string, unknown>[] {
  const layers: Record<string, unknown>[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > deepest) return;
    const layer = value as Record<string, unknown>;
    layers.push(layer);
    for (const key of ['meta', 'driverAdapterError', 'cause', 'constraint']) visit(layer[key], depth + 1);
  };
  visit(error, 0);
  return layers;
}
