import type { AppointmentStatus } from '../../generated/prisma/client';

/** Which status may follow which. Nothing follows a status that is final. */
const transitions: Readonly<Record<AppointmentStatus, readonly AppointmentStatus[]>> = {
  BOOKED: ['CANCELLED', 'COMPLETED'],
  CANCELLED: [],
  COMPLETED: [],
};

export const statuses = Object.keys(transitions) as [AppointmentStatus, ...AppointmentStatus[]];

/** The statuses from which an appointment may become `target`. */
export function statusesBefore(target: AppointmentStatus): AppointmentStatus[] {
  return statuses.filter((status) => transitions[status].includes(target));
}
