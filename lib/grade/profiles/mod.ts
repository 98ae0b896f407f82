// The profiles that netlab brings along: the wire formats and words of courses.

import chatCourse from "./chat-course.json" with { type: "json" };
import { parseProfile, type Profile } from "../profile.ts";

/** By name, as in `--profile chat-course`. */
export const PROFILES: Readonly<Record<string, Profile>> = Object.fromEntries(
  Object.entries({ "chat-course": chatCourse }).map((
    [name, value],
  ) => [name, parseProfile(JSON.stringify(value), name)]),
);
