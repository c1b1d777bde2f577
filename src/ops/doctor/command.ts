import { Command } from 'commander';
import type { Run } from '../command';
import { doctor, type DoctorOptions } from './doctor';

/** `ops doctor`: looks at everything at once. */
export function doctorCommand(run: Run): Command {
  return new Command('doctor')
    .description('look at the configuration, the database and Kafka, and say what to do; changes nothing')
    .option('--max-age <seconds>', 'warn when an event waits in the outbox for longer', '60')
    .option('--max-lag <messages>', 'warn when a consumer group has more to read', '1000')
    .option('--strict', 'exit with 1 for warnings too')
    .option('--json', 'one line of JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 nothing has failed; 1 something has. It ends within 40 seconds, also when servers do not answer.`,
    )
    .action((options: DoctorOptions) => run((tools) => doctor(tools, options)));
}
