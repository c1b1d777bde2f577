/**
 * Characters that a terminal obeys instead of showing: C0 and C1 controls, and those that reorder or break lines.
 * A message could otherwise hide what it holds, or type for whoever looks at it.
 */
const controls = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The text with every control character as `\uXXXX`. Valid within a JSON string, too. */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
