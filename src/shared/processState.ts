/*
 * State that belongs to the process and not to a module. Bundlers, hot reload and two versions of a dependency load a
 * module more than once, and each copy has variables of its own: what one copy had put into an AsyncLocalStorage, the
 * other would not find. So such state is kept at one place of the global object, which all copies share.
 */

/** The number changes with the meaning of what is kept there. */
const key = Symbol.for('signalbox:1');

type Registry = Map<string, unknown>;

/** The process's one value of this name; the first caller creates it. */
export function processState<T>(name: string, create: () => T): T {
  const holder = globalThis as { [key]?: Registry };
  const registry = (holder[key] ??= new Map());
  if (!registry.has(name)) registry.set(name, create());
  return registry.get(name) as T;
}
