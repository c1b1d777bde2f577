import { defineConfig } from 'prisma/config';

// Read by the Prisma CLI only (`npx prisma migrate status`, `studio`); the programs take their settings
// from src/shared/config.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
