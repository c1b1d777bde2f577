import type { Pool } from 'pg';
import { createPool } from '../../src/shared/database';
import { neighbours } from './scenarios';
import { poolSize, type Variant, type VariantOptions } from './variant';

const insertMany = `INSERT INTO patients (id, name, email, phone, updated_at)
  SELECT id, name, email, phone, now() FROM json_to_recordset($1::json) AS p(id uuid, name text, email text, phone text)`;

/** Postgres without Prisma and without an outbox. */
export async function barePg({ databaseUrl, logger }: VariantOptions): Promise<Variant> {
  const pool = createPool({ databaseUrl, logger, poolSize, applicationName: 'bench' });
  return {
    name: 'bare pg, no outbox',
    create: ({ id, name, email, phone }) =>
      pool.query(
        'INSERT INTO patients (id, name, email, phone, updated_at) VALUES ($1, $2, $3, $4, now()) RETURNING *',
        [id, name, email, phone],
      ),
    update: (id, phone) =>
      pool.query('UPDATE patients SET phone = $2, updated_at = now() WHERE id = $1 RETURNING *', [id, phone]),
    createMany: (patients) => pool.query(insertMany, [JSON.stringify(patients)]),
    updateMany: (ids, phone) =>
      pool.query('UPDATE patients SET phone = $3, updated_at = now() WHERE id BETWEEN $1 AND $2', [
        ids[0],
        ids.at(-1),
        phone,
      ]),
    seed: (count) => seed(pool, count),
    close: () => pool.end(),
  };
}

async function seed(pool: Pool, count: number): Promise<string[]> {
  const patients = neighbours(count);
  await pool.query(insertMany, [JSON.stringify(patients)]);
  return patients.map(({ id }) => id);
}
