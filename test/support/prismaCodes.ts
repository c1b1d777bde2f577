import { Prisma } from '../../src/generated/prisma/client';

const [, minor = '0'] = Prisma.prismaVersion.client.split('.');

/**
 * Whether Prisma has codes for a deadlock and for a row that a foreign key protects (RESTRICT, on Postgres 18). It has
 * from 7.10 on; before that the driver's error reaches the caller.
 */
export const knowsAllCodes = Number(minor) >= 10;
