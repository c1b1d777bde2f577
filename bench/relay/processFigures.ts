import { readFile } from 'node:fs/promises';

/** Kernel ticks of /proc/<pid>/stat last this long on every Linux that Node runs on. */
const tickMs = 10;

/** What the kernel has counted of a process. Linux only. */
export interface ProcessFigures {
  /** Time on a core so far, in milliseconds: its own and the kernel's for it. */
  readonly cpuMs: number;
  readonly rssMb: number;
  /** The most that it ever had. */
  readonly peakRssMb: number;
}

/** Undefined where there is no /proc. */
export async function readProcess(pid: number): Promise<ProcessFigures | undefined> {
  if (process.platform !== 'linux') return undefined;
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The second field is the program's name in brackets and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const megabytes = (name: string): number => {
    const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
    return Number(kilobytes) / 1_024;
  };
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    rssMb: megabytes('VmRSS'),
    peakRssMb: megabytes('VmHWM'),
  };
}
