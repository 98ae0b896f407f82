// The exercises with what explains them, for tests that are generated from the registry.

import type { Exercise, Explanation } from "../lib/exercises/exercise.ts";
import { exercises } from "../lib/exercises/registry.ts";

/** An exercise with its explanation. */
export interface Explained extends Exercise {
  readonly explain: Explanation;
}

export const explained: readonly Explained[] = await Promise.all(
  exercises.map(async (exercise) => ({ ...exercise, explain: await exercise.explanation() })),
);
