import type { Command } from 'commander';
import type { Run } from '../../ops/command';
import { doctorCommand } from '../../ops/doctor/command';
import { opsProgram } from '../../ops/program';
import type { Frame } from '../frame';

/** `signalbox ops …`. */
export const opsCommand = (frame: Frame): Command => opsProgram(runIn('ops', frame));

/** `signalbox doctor`, which is `signalbox ops doctor`. */
export const doctorOf = (frame: Frame): Command => doctorCommand(runIn('doctor', frame));

function runIn(name: string, frame: Frame): Run {
  return (action) =>
    frame.run(name, (logger, { config, schema, migrations, environment }) =>
      action({
        catalogue: config.catalogue,
        erasure: config.erasure ?? [],
        variables: config.variables ?? {},
        schema,
        migrations,
        environment,
        logger,
        stdout: process.stdout,
        stderr: process.stderr,
      }),
    );
}
