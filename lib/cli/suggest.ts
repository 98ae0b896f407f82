// "Did you mean": the nearest of the words that would have been right.

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** ` (did you mean "chat"?)`, or nothing when no word is near. */
export function didYouMean(word: string, words: readonly string[]): string {
  if (words.length === 0 || word === "") return "";
  const nearest = closestString(word.toLowerCase(), words);
  const near = levenshteinDistance(word.toLowerCase(), nearest.toLowerCase()) <= Math.max(1, nearest.length >> 1);
  return near ? ` (did you mean "${nearest}"?)` : "";
}
