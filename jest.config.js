'use strict';

const { availableParallelism } = require('node:os');

const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, sourceMaps: 'inline' },
    ],
  },
  // Our own package by its name: its sources, as the compiler takes it.
  moduleNameMapper: {
    '^signalbox$': '<rootDir>/src/public/index.ts',
    '^signalbox/(.*)$': '<rootDir>/src/public/$1.ts',
  },
  moduleFileExtensions: ['ts', 'js', 'json'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};

/** Tiers: unit tests need nothing; integration and e2e tests need Postgres and a broker, which are started once per run. */
const withServers = {
  ...shared,
  globalSetup: '<rootDir>/test/support/globalSetup.ts',
  globalTeardown: '<rootDir>/test/support/globalTeardown.ts',
};

module.exports = {
  testTimeout: 60_000,
  // Most tests wait for servers: thrice as many as there are cores, and not more than one Postgres and one broker bear.
  maxWorkers: Math.min(3 * availableParallelism(), 8),
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    { ...withServers, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.test.ts'] },
    { ...withServers, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'] },
  ],
};
