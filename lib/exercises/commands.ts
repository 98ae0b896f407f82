// What a person may type, as a table: for parsing, for help and for completion alike.

/** A command that is typed. */
export interface CommandForm {
  readonly word: string;
  /** Other words for the same. */
  readonly also?: readonly string[];
  /** With what follows it: `send <who> <message>`. */
  readonly form: string;
  readonly meaning: string;
}

/** Takes the first word off a line; spaces between it and the rest are dropped. */
export function splitWord(line: string): [word: string, rest: string] {
  const text = line.trimStart();
  const end = text.search(/\s/);
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end).trimStart()];
}

/** All words of a line. */
export function splitWords(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== "");
}

/** The command that `word` stands for, in any case. */
export function findForm<F extends CommandForm>(forms: readonly F[], word: string): F | undefined {
  const wanted = word.toLowerCase();
  return forms.find((form) => [form.word, ...form.also ?? []].some((one) => one.toLowerCase() === wanted));
}

/**
 * All lines that `line` could become by one more word.
 *
 * @param names what may stand behind a command's word
 */
export function completeLine(
  forms: readonly CommandForm[],
  line: string,
  names: (form: CommandForm) => Iterable<string> = () => [],
): string[] {
  const [word, ...rest] = line.split(" ");
  if (rest.length === 0) {
    return forms.filter((form) => form.word.toLowerCase().startsWith(word.toLowerCase()))
      .map((form) => form.form.includes("<") ? `${form.word} ` : form.word);
  }
  const form = findForm(forms, word);
  if (rest.length > 1 || form === undefined) return [];
  return [...names(form)].filter((name) => name.startsWith(rest[0])).map((name) => `${word} ${name} `);
}

/** The words that `line` could become. */
export function completeWord(line: string, words: Iterable<string>): string[] {
  return line === "" ? [] : [...words].filter((word) => word.startsWith(line));
}

/** The table for people: form and meaning. */
export function formRows(forms: readonly CommandForm[]): [form: string, meaning: string][] {
  return forms.map(({ form, meaning, also = [] }) => [
    form,
    also.length > 0 ? `${meaning} (also ${also.join(", ")})` : meaning,
  ]);
}

/** The same, a line each. */
export function describeForms(forms: readonly CommandForm[]): string[] {
  const width = Math.max(...forms.map(({ form }) => form.length));
  return formRows(forms).map(([form, meaning]) => `  ${form.padEnd(width)}  ${meaning}`);
}
