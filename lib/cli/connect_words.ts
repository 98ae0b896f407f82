// The words of `netlab connect`: the address, and what the exercise's client takes behind it.

import type { Exercise } from "../exercises/exercise.ts";
import { lookUp } from "../net/client.ts";
import { takeAddress, takeAddressBefore, type WrittenAddress } from "../net/address.ts";
import { NetlabError } from "../protocol/errors.ts";
import { didYouMean } from "./suggest.ts";

/** The words, taken apart. */
export interface ConnectWords {
  readonly address: WrittenAddress | null;
  readonly rest: readonly string[];
}

/** What a client takes, as its usage spells it: `get NAME… | list`, `FILE…`. */
interface Forms {
  /** Each that begins with a word of its own, by that word. */
  readonly verbs: ReadonlyMap<string, string>;
  /** Whether files of this machine are among it. */
  readonly files: boolean;
}

/** What an exercise's client takes behind the address. */
export function argumentsOf(exercise: Exercise | undefined): Forms {
  const forms = (exercise?.argumentsUsage ?? "").split(" | ").map((form) => [form.split(" ")[0], form] as const);
  return {
    verbs: new Map(forms.filter(([word]) => /^[a-z]+$/.test(word))),
    files: forms.some(([word]) => word.startsWith("FILE")),
  };
}

/** Tells the address from what the exercise takes behind it. @throws {NetlabError} of kind `usage` */
export function readWords(exercise: Exercise, words: readonly string[]): ConnectWords {
  const { name, argumentsUsage } = exercise;
  if (exercise.acceptsArguments) {
    const problem = exercise.argumentsProblem?.(words) ?? verbProblem(exercise, words);
    const read = problem === null ? takeAddressBefore(words, (rest) => exercise.acceptsArguments!(rest)) : null;
    if (read) return read;
    throw new NetlabError("usage", problem ?? `connect ${name} does not take "${words.join(" ")}"`, {
      hint: `netlab connect ${name} [HOST[:PORT]] [${argumentsUsage}]`,
    });
  }
  const read = takeAddress(words);
  if (read.rest.length === 0) return read;
  throw new NetlabError("usage", `connect ${name} takes no "${read.rest[0]}" behind the address`, {
    hint: `netlab connect ${name} [HOST[:PORT]] [options]`,
  });
}

/** What is wrong with the verb that the words have, an address perhaps before it; null when nothing is, or it has none. */
function verbProblem(exercise: Exercise, words: readonly string[]): string | null {
  const { verbs } = argumentsOf(exercise);
  const accepts = exercise.acceptsArguments!;
  // A host may have the name of a verb.
  if (verbs.size === 0 || words.length === 0 || [0, 1, 2].some((i) => accepts(words.slice(i)))) return null;
  const at = words.slice(0, 3).findIndex((word) => verbs.has(word));
  if (at >= 0) {
    const [verb, ...others] = words.slice(at);
    const wanted = verbs.get(verb)!.slice(verb.length + 1);
    return others.length === 0 ? `${verb} needs ${wanted}` : `${verb} does not take "${others.join(" ")}"`;
  }
  const { rest } = takeAddress(words);
  // What stands alone may be a host.
  if (rest.length === 0) return null;
  const unknown = [words[0], rest[0]].find((word) => didYouMean(word, [...verbs.keys()]) !== "") ?? rest[0];
  return `no such command: ${unknown}${didYouMean(unknown, [...verbs.keys()])}`;
}

/**
 * Looks for the host, where the client connects only when it is asked something: until then, any word would pass for one.
 *
 * @throws {NetlabError} when there is none
 */
export async function requireHost(exercise: Exercise, { address, rest }: ConnectWords, port: number): Promise<void> {
  if (!exercise.acceptsArguments || argumentsOf(exercise).files || !address || rest.length > 0) return;
  try {
    await lookUp(address.host, address.port ?? port, "connect to");
  } catch (error) {
    const meant = didYouMean(address.host, [...argumentsOf(exercise).verbs.keys()]);
    if (!(error instanceof NetlabError) || meant === "") throw error;
    throw new NetlabError("usage", `no such command, and no such host: ${address.host}${meant}`, { cause: error });
  }
}
