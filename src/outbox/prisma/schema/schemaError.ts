import { UserError } from '../../../shared/lifecycle';

/** A Prisma schema that cannot be read: the message names the line and what is wrong there. */
export class SchemaError extends UserError {
  override readonly name = 'SchemaError';

  /** `line` counts from 1. */
  constructor(line: number, what: string) {
    super(`The Prisma schema cannot be read at line ${line}: ${what}.`);
  }
}
