import type { Attribute, Value } from './syntax';

/** Finds an attribute by its name. */
export function attributeOf(
  { attributes }: { readonly attributes: readonly Attribute[] },
  name: string,
): Attribute | undefined {
  return attributes.find((attribute) => attribute.name === name);
}

/** What an attribute is given under a name, or as the first of what is known by its place where `first` is that name. */
export function argumentOf(attribute: Attribute | undefined, name: string, first = false): Value | undefined {
  const named = attribute?.given.find((argument) => argument.name === name);
  const placed = first ? attribute?.given.find((argument) => argument.name === undefined) : undefined;
  return (named ?? placed)?.value;
}

export function stringOf(value: Value | undefined): string | undefined {
  return value?.kind === 'string' ? value.text : undefined;
}

export function wordOf(value: Value | undefined): string | undefined {
  return value?.kind === 'word' ? value.text : undefined;
}

/** The fields that a list names; one may carry options, as in `[name(sort: Desc)]`. */
export function fieldNamesOf(value: Value | undefined): string[] {
  if (value?.kind !== 'list') return [];
  return value.items.flatMap((item) => (item.kind === 'word' || item.kind === 'call' ? [item.text] : []));
}
