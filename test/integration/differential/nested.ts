import type { Write } from './steps';

/** What a write does to related rows, `appointments.create`; to point to one that is there is `patient.connect`. */
export function nestedActions({ args }: Write): string[] {
  const found = ['data', 'create', 'update'].flatMap((half) => {
    const given = (args[half] ?? {}) as { patient?: object; appointments?: object };
    return (['patient', 'appointments'] as const).flatMap((relation) =>
      Object.keys(given[relation] ?? {}).map((action) => `${relation}.${action}`),
    );
  });
  return [...new Set(found)];
}

/** Whether a write does more to related rows than to point to one that is there. */
export function hasNestedWrites(write: Write): boolean {
  return nestedActions(write).some((action) => action !== 'patient.connect');
}
