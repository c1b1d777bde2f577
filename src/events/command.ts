import type { z } from 'zod';

/** An event that no row change means: somebody asks for something to be done. Appended explicitly. */
export interface Command<Type extends string = string, Data = unknown> {
  readonly eventType: Type;
  /** `metadata.aggregate_type`; the caller names the aggregate's id, which is the message key. */
  readonly aggregateType: string;
  readonly version: string;
  readonly data: z.ZodType<Data>;
  /** When it is too late to carry it out, ISO 8601; a command without it, or that says undefined, never expires. */
  expiresAt?(data: Data): string | undefined;
  /** The data without anything of a person, in a form that still fits `data`. Without it nothing of them is kept. */
  erase?(data: Data): Data;
}

/** Declares a command event. */
export function defineCommand<const Type extends string, Data>(
  command: Command<Type, Data>,
): Command<Type, Data> {
  return command;
}
