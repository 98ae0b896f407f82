// "Did you mean": the nearest of the words that would have been right.

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** ` (did you mean "chat"?)`, or nothing when no word is near. */
export function didYouMean(word: string, words: readonly string[]): string {
  if (words.length === 0 || word === "") return "";
  const nearest = closestString(word.toLowerCase(), words);
  const [typed, right] = [word.toLowerCase(), nearest.toLowerCase()];
  const near = levenshteinDistance(typed, right) <= Math.max(1, right.length >> 1) || isSwapped(typed, right);
  return near ? ` (did you mean "${nearest}"?)` : "";
}

/** Whether two neighbouring letters have changed places: in a short word, much of it is wrong then. */
function isSwapped(one: string, other: string): boolean {
  const at = [...one].findIndex((letter, i) => letter !== other[i]);
  return at >= 0 && one.slice(0, at) + (one[at + 1] ?? "") + one[at] + one.slice(at + 2) === other;
}
