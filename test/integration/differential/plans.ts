import { openSubject, type Subject } from './databases';

/* On which databases sequences are run, and what they are held to. */

export interface Plan {
  readonly open: () => Promise<Subject[]>;
  /** Whether limits may leave a choice to Postgres: then databases are not compared with each other. */
  readonly anyLimit: boolean;
  /** One in so many of the sequences that a run is asked for. */
  readonly oneIn: number;
}

export const plans = {
  /** Both engines show callers what plain Prisma shows, and say the same of every change. */
  alone: {
    open: async () => Promise.all([openSubject('plain'), openSubject('middleware'), openSubject('trigger')]),
    anyLimit: false,
    oneIn: 1,
  },
  /** They say what their tables say when a limit leaves it to Postgres which rows are written. */
  limits: {
    open: async () => Promise.all([openSubject('middleware'), openSubject('trigger')]),
    anyLimit: true,
    oneIn: 8,
  },
  /** Both in one database say of every change of a captured client what one of them would say alone. */
  together: {
    open: async () => Promise.all([openSubject('middleware', { triggersToo: true }), openSubject('trigger')]),
    anyLimit: false,
    oneIn: 8,
  },
} satisfies Record<string, Plan>;

export type PlanName = keyof typeof plans;

export const planNames = Object.keys(plans) as PlanName[];

export const countOf = (plan: PlanName, runs: number): number => Math.ceil(runs / plans[plan].oneIn);
