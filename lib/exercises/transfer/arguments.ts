// What stands behind the address on the command line: the names of files.

import { takeAddress } from "../../net/address.ts";
import { describeSystemError } from "../../net/errors.ts";

/** Whether `words` are what is to be sent: every one a file that is there, or standard input. */
export function areFiles(words: readonly string[]): boolean {
  return words.length > 0 && words.every((word) => problemOf(word) === null);
}

/** What is wrong with the files among `words`, before which an address may stand; null when nothing is. */
export function fileProblem(words: readonly string[]): string | null {
  if (areFiles(words) || areFiles(words.slice(1))) return null;
  const [first, ...others] = words;
  const isAddress = others.length === 0 ? looksLikeAddress(first ?? "") : problemOf(first)?.startsWith(MISSING);
  const files = isAddress ? takeAddress(words).rest : words;
  return files.map(problemOf).find((problem) => problem !== null) ?? null;
}

const MISSING = "no such file: ";

/** Why there is nothing to send in what is called `path`, or null. */
function problemOf(path: string): string | null {
  if (path === "-") return null;
  try {
    return Deno.statSync(path).isDirectory ? `${path} is a folder, and files are sent` : null;
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? MISSING + path
      : `cannot read ${path}: ${describeSystemError(error)}`;
  }
}

/** Whether a word that is alone is a host, and not a file that was forgotten: it says a port, or is in digits. */
function looksLikeAddress(word: string): boolean {
  return word === "" || word === "localhost" || /:\d*$|^\[|:.*:|^[\d.]+$/.test(word);
}
