// All exercises, in the order in which a course meets them. Adding one is a folder and a line here.

import { calc } from "./calc/mod.ts";
import { chat } from "./chat/mod.ts";
import type { Exercise } from "./exercise.ts";
import { files } from "./files/mod.ts";
import { mesh } from "./mesh/mod.ts";
import { messages } from "./messages/mod.ts";
import { multitalk } from "./multitalk/mod.ts";
import { peer } from "./peer/mod.ts";
import { smtp } from "./smtp/mod.ts";
import { stream } from "./stream/mod.ts";
import { talk } from "./talk/mod.ts";
import { transfer } from "./transfer/mod.ts";

export const exercises: readonly Exercise[] = [
  chat,
  messages,
  peer,
  mesh,
  calc,
  talk,
  multitalk,
  transfer,
  files,
  stream,
  smtp,
];

/** The exercise of that name. */
export function findExercise(name: string): Exercise | undefined {
  return exercises.find((exercise) => exercise.name === name);
}
