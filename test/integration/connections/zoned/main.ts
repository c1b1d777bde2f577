import { createPrismaClient } from '../../../../src/healthcore/createPrismaClient';
import { createPool } from '../../../../src/shared/database';
import { createLogger } from '../../../../src/shared/logger';

/*
 * A program that is started in another time zone, for timeZone.test.ts. Its arguments are a
 * database's URL and an instant: it stores a patient created then and prints what Prisma and a pool read back.
 */
async function main(databaseUrl: string, createdAt: string): Promise<void> {
  const options = {
    databaseUrl,
    poolSize: 1,
    applicationName: 'zoned',
    logger: createLogger({ name: 'zoned', level: 'warn' }),
  };
  const prisma = createPrismaClient({ ...options, comments: [] });
  const data = { name: 'Ann', email: 'a@example.com', dateOfBirth: new Date('2000-02-29') };
  await prisma.patient.create({ data: { ...data, createdAt: new Date(createdAt) } });
  const patient = await prisma.patient.findFirstOrThrow();
  const pool = createPool(options);
  const { rows } = await pool.query('SELECT created_at AS at, date_of_birth::text AS day FROM patients');
  process.stdout.write(`${JSON.stringify([patient.createdAt, patient.dateOfBirth, rows[0]])}\n`);
  await prisma.$disconnect();
  await pool.end();
}

const [, , databaseUrl = '', createdAt = ''] = process.argv;
void main(databaseUrl, createdAt);
