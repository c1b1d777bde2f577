import { Command } from 'commander';
import type { Run } from '../command';
import { exitCodes } from '../exitCodes';
import { report } from '../output/report';
import { newClusterId } from './clusterId';

/** `ops kafka …`: what a new Kafka needs. */
export function kafkaCommand(run: Run): Command {
  const kafka = new Command('kafka').description('what a new Kafka cluster needs');
  kafka
    .command('cluster-id')
    .description('print a new id for a cluster: one for each environment')
    .option('--json', 'one line of JSON')
    .addHelpText(
      'after',
      `
A broker keeps the id in its data and refuses a directory of another cluster, so that environments cannot be mixed up.
With docker compose: KAFKA_CLUSTER_ID in .env, before the first start.`,
    )
    .action(({ json = false }: { json?: boolean }) =>
      run(async ({ stdout }) => {
        const id = newClusterId();
        report(stdout, json, { data: { cluster_id: id }, text: id });
        return exitCodes.ok;
      }),
    );
  return kafka;
}
