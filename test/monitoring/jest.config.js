'use strict';

const [, integration] = require('../../jest.config').projects;

/** Not among the projects of `npm test`: it fetches Prometheus and exporters, and breaks whole systems. */
module.exports = {
  ...integration,
  displayName: 'monitoring',
  testMatch: ['<rootDir>/test/monitoring/**/*.test.ts'],
  globalSetup: '<rootDir>/test/monitoring/support/globalSetup.ts',
  testTimeout: 240_000,
  maxWorkers: 2,
};
