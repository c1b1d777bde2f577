/** The key of the advisory lock that Prisma Migrate takes. */
export const prismaMigrateLock = 72707369;
