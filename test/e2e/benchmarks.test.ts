/** That the benchmarks run, not how fast: run once, small, they cannot rot. */
import { spawnProgram } from '../support/process';

test.each([
  ['consume', ['runner_vs_bare']],
  ['api', ['create_p99_kafka_down_vs_up', 'create_vs_no_capture']],
])(
  'bench -- %s --quick --json ends with its figures',
  async (name, keys) => {
    const program = await spawnProgram('bench/main', { args: [name, '--quick', '--json'] });
    expect({ ending: await program.exited, output: program.output() }).toMatchObject({
      ending: { code: 0, signal: null },
    });
    const [last] = program.lines().slice(-2);
    const result = JSON.parse(last ?? '') as { name: string; figures: Record<string, number> };
    expect(result.name).toBe(name);
    for (const key of keys) expect(result.figures[key]).toBeGreaterThan(0);
  },
  600_000,
);
