// All exercises, in the order in which a course meets them. Adding one is a folder and a line here.

import { chat } from "./chat/mod.ts";
import type { Exercise } from "./exercise.ts";

export const exercises: readonly Exercise[] = [chat];

/** The exercise of that name. */
export function findExercise(name: string): Exercise | undefined {
  return exercises.find((exercise) => exercise.name === name);
}
