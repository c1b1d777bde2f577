import type { z } from 'zod';
import { ConfigError, type Environment, loadConfig, unknownVariables } from '../../shared/config/load';
import { allVariables } from '../../shared/config/variables';
import { opsKafkaVariables } from '../kafka';
import { type Check, fail, type Finding, ok, warn } from './finding';

const check = 'configuration';
const remedy = 'Correct the variable; .env.example says what each is for.';

/** Whether every variable can be read, and whether one looks misspelt. */
export function configurationCheck(environment: Environment, own: z.ZodRawShape): Check {
  return {
    name: check,
    run: async () => {
      const findings = [...problems(environment, own), ...oddities(environment, own)];
      return findings.length > 0 ? findings : [ok(check, 'every variable can be read')];
    },
  };
}

function problems(environment: Environment, own: z.ZodRawShape): Finding[] {
  try {
    loadConfig({ ...own, ...allVariables, ...opsKafkaVariables }, environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => fail(check, problem, remedy));
  }
}

function oddities(environment: Environment, own: z.ZodRawShape): Finding[] {
  const misspelt = unknownVariables(environment, own).map((name) =>
    warn(check, `${name} is set but not known`, 'Correct its name, or unset it.'),
  );
  if (environment['KAFKA_BOOTSTRAP_SERVERS']) return misspelt;
  const { KAFKA_BOOTSTRAP_SERVERS } = loadConfig(
    { KAFKA_BOOTSTRAP_SERVERS: opsKafkaVariables.KAFKA_BOOTSTRAP_SERVERS },
    {},
  );
  return [
    ...misspelt,
    warn(
      check,
      `KAFKA_BOOTSTRAP_SERVERS is not set; looked at ${KAFKA_BOOTSTRAP_SERVERS.join(',')}`,
      'Set it: relay and consumers do not start without it.',
    ),
  ];
}
