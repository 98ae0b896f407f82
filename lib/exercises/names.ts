// Names that people take or give: users, aliases, labels.

/** The longest name, in characters. */
export const MAX_NAME = 32;

/**
 * Why `name` cannot be one, or null when it can. Characters count, not bytes.
 *
 * @param reserved a word that means something else, in any case
 */
export function invalidName(name: string, reserved?: string): string | null {
  if (name === "") return "it is empty";
  if (name.toUpperCase() === reserved?.toUpperCase()) return `${reserved} is reserved`;
  if ([...name].length > MAX_NAME) return `more than ${MAX_NAME} characters`;
  if (!/^[\p{L}\p{N}_.-]+$/u.test(name)) return "use letters, digits, _ - .";
  return name === name.normalize("NFC") ? null : "use composed characters (Unicode NFC)";
}
