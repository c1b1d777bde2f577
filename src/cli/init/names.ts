/** `OrderItem` is `order_item`. */
export const snake = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();

/** `order_item` is `orderItem`. */
export const camel = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The same names where they differ; one that came before gets a number. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let nr = 2; taken.has(free) || (free !== name && names.includes(free)); nr++) free = `${name}_${nr}`;
    taken.add(free);
    return free;
  });
}
