import type { Write } from './steps';

/** Whether a write does more to related rows than to point to one that is there. */
export function hasNestedWrites({ args }: Write): boolean {
  return ['data', 'create', 'update'].some((half) => {
    const { patient, appointments } = (args[half] ?? {}) as { patient?: object; appointments?: object };
    return appointments !== undefined || (patient !== undefined && !('connect' in patient));
  });
}
