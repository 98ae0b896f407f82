// Several subjects in one line of text, for an environment variable:
//
//     chat=127.0.0.1:5555; calc=run:python3 calc.py {port}; chat=client:python3 chat_client.py {host} {port}

import type { Exercise } from "../exercises/exercise.ts";
import { findExercise } from "../exercises/registry.ts";
import { parseAddress } from "../net/address.ts";
import { NetlabError } from "../protocol/errors.ts";
import type { Subject } from "./grading.ts";

/** Reads such a line. @throws {NetlabError} of kind `usage` */
export function parseSubjects(text: string): { readonly exercise: Exercise; readonly subject: Subject }[] {
  // A semicolon in a command is the shell's: only one with an exercise behind it is ours.
  const entries = text.split(/[;\n]\s*(?=[a-z]+=)/).map((entry) => entry.trim()).filter((entry) => entry !== "");
  return entries.map((entry) => {
    const [, name, value] = /^([a-z]+)=(.+)$/s.exec(entry) ?? [];
    const exercise = name === undefined ? undefined : findExercise(name);
    if (exercise === undefined) {
      throw new NetlabError("usage", `not an exercise and what to grade: "${entry}"`, {
        hint: "chat=HOST:PORT, chat=run:COMMAND or chat=client:COMMAND, with ; between several",
      });
    }
    return { exercise, subject: parseSubject(value, exercise) };
  });
}

function parseSubject(value: string, exercise: Exercise): Subject {
  const [, how, command] = /^(run|client):\s*(.+)$/s.exec(value) ?? [];
  if (how === "run") return { type: "server", command };
  if (how === "client") return { type: "client", command };
  const { host, port } = parseAddress(value.trim());
  return { type: "address", host, port: port ?? exercise.port };
}
