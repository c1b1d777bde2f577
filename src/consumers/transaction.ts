/**
 * What the runner needs of the transaction in which an event is noted as processed. Those of every generated Prisma
 * client have it, captured or not.
 */
export interface Transaction {
  $queryRaw<R = unknown>(query: TemplateStringsArray, ...values: unknown[]): PromiseLike<R>;
  $executeRaw(query: TemplateStringsArray, ...values: unknown[]): PromiseLike<number>;
  $queryRawUnsafe<R = unknown>(sql: string, ...values: unknown[]): PromiseLike<R>;
}
