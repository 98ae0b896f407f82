// What stands behind the address on the command line: the names of files.

/** Whether `words` are what is to be sent: every one a file that is there, or standard input. */
export function areFiles(words: readonly string[]): boolean {
  return words.length > 0 && words.every((word) => word === "-" || isThere(word));
}

function isThere(path: string): boolean {
  try {
    return !Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
