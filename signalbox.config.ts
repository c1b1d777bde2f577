import { defineConfig } from 'signalbox';
import { apiVariables } from './src/api/variables';
import { createCapturedClient } from './src/healthcore/capturedClient';
import { catalogue } from './src/healthcore/catalogue';
import { consumers } from './src/healthcore/consumers/registry';
import { reminderVariables } from './src/healthcore/consumers/variables';
import { patientErasure } from './src/healthcore/patientErasure';

/** HealthCore, for `npx signalbox`. */
export default defineConfig({
  name: 'healthcore',
  catalogue,
  capture: 'middleware',
  createClient: ({ engine, source, onCommitted, ...database }) =>
    createCapturedClient(engine, database, { source, onCommitted, logger: database.logger }),
  consumers,
  variables: { ...apiVariables, ...reminderVariables },
  erasure: [patientErasure],
});
