import { commonVariables, kafkaVariables, relayVariables, serverVariables } from '../shared/config/variables';

/** Every variable that the relay reads. */
export const relayProgramVariables = {
  ...commonVariables,
  ...serverVariables,
  ...kafkaVariables,
  ...relayVariables,
};
