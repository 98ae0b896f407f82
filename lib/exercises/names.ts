// Names that people take or give: users, aliases, labels, files.

import { hasUnsafe, utf8Length } from "../protocol/text.ts";

/** The longest name, in characters. */
export const MAX_NAME = 32;

/**
 * Why `name` cannot be one, or null when it can. Characters count, not bytes.
 *
 * @param reserved words that mean something else, in any case
 */
export function invalidName(name: string, ...reserved: string[]): string | null {
  if (name === "") return "it is empty";
  const word = reserved.find((one) => one.toUpperCase() === name.toUpperCase());
  if (word !== undefined) return `${word} is reserved`;
  if ([...name].length > MAX_NAME) return `more than ${MAX_NAME} characters`;
  if (name !== name.normalize("NFC")) return "use composed characters (Unicode NFC)";
  // Some letters are nothing to be seen, such as the fillers of Hangul.
  return /^[[\p{L}\p{N}_.\-]--\p{Default_Ignorable_Code_Point}]+$/v.test(name) ? null : "use letters, digits, _ - .";
}

/** The longest name of a file, in bytes: what file systems take. */
export const MAX_FILE_NAME = 255;

/** The devices of Windows: no file there has such a name, whatever follows its first dot. */
const DEVICES = /^(con|prn|aux|nul|com[0-9\xb9\xb2\xb3]|lpt[0-9\xb9\xb2\xb3]|conin\$|conout\$|clock\$)\s*(\..*)?$/i;

/** Whether Windows takes a file or a folder of this name for a device. */
export const isDevice = (name: string): boolean => DEVICES.test(name);

/** What `fileNameProblem` refuses of names that lead nowhere else, as `explain` says it. */
export const FILE_NAME_RULES = [
  `a name of more than ${MAX_FILE_NAME} bytes, with one of < > : " | ? * or a control character, or with a dot or a space`,
  `at its end; and the devices of Windows, in any case, whatever follows their first dot: CON, PRN, AUX, NUL, CLOCK$,`,
  `CONIN$, CONOUT$, and COM or LPT with one digit.`,
].join("\n");

/**
 * Why `name` is no plain file name on every system that this may run on; null when it is one. Such a name cannot lead out
 * of a folder, and means the same file wherever that is.
 */
export function fileNameProblem(name: string, maxBytes = MAX_FILE_NAME): string | null {
  if (name === "") return "it is empty";
  if (name === "." || name === "..") return "it is a folder";
  if (/[/\\]/.test(name)) return "it leads into another folder";
  if (hasUnsafe(name) || name.includes("\t")) return "it has control characters";
  if (/[<>:"|?*]/.test(name)) return 'it has one of < > : " | ? *';
  if (/[. ]$/.test(name)) return "it ends with a dot or a space";
  if (isDevice(name)) return "it is a device on Windows";
  return utf8Length(name) > maxBytes ? `it is longer than ${maxBytes} bytes` : null;
}
