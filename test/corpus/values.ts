import type * as DMMF from '@prisma/dmmf';
import { Prisma } from '../../src/generated/prisma/client';

/** Values for the fields of any model: another one at each call. */
export class Values {
  #count = 0;

  constructor(private readonly enums: readonly DMMF.DatamodelEnum[]) {}

  next(field: DMMF.Field): unknown {
    return field.isList ? [this.#single(field), this.#single(field)] : this.#single(field);
  }

  #single({ kind, type, nativeType }: DMMF.Field): unknown {
    const n = ++this.#count;
    if (kind === 'enum') {
      const values = this.enums.find(({ name }) => name === type)?.values ?? [];
      return values[n % values.length]?.name;
    }
    const [native = type] = nativeType ?? [];
    const make = byNativeType[native] ?? byType[type];
    if (!make) throw new Error(`No values for ${native}`);
    return make(n);
  }
}

const byNativeType: Readonly<Record<string, (n: number) => unknown>> = {
  Uuid: (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  Xml: (n) => `<a n="${n}">&amp;</a>`,
  Inet: (n) => `10.0.${n >> 8}.${n % 256}`,
  Bit: (n) => (n % 8).toString(2).padStart(3, '0'),
  VarBit: (n) => (n % 255).toString(2),
  Date: (n) => new Date(Date.UTC(2026, 0, 1 + n)),
  Time: (n) => new Date(Date.UTC(1970, 0, 1, n % 24, n % 60, 7, n % 1000)),
  Timetz: (n) => new Date(Date.UTC(1970, 0, 1, n % 24, n % 60, 8, n % 1000)),
  Money: (n) => new Prisma.Decimal(`${n}.25`),
};

const byType: Readonly<Record<string, (n: number) => unknown>> = {
  // What a key's text must not be mistaken for, and what SQL and JSON quote.
  String: (n) => [`s${n}`, `%3A:${n}`, `'"\\${n}`, `ü–𝄞 ${n}`][n % 4],
  Boolean: (n) => n % 2 === 0,
  Int: (n) => n,
  BigInt: (n) => 9_007_199_254_740_000n + BigInt(n),
  Float: (n) => n / 8,
  Decimal: (n) => new Prisma.Decimal(`${n}.10`),
  DateTime: (n) => new Date(Date.UTC(2026, 0, 1, 0, n, 0, n % 1000)),
  Json: (n) => ({ n, deep: [null, `x"${n}`] }),
  Bytes: (n) => Uint8Array.from([0, 255, n % 256]),
};
