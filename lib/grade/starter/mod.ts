// What a student begins with: a server and a client that start, call and listen, and understand nothing yet; the wire format
// as comments; how to build, run and grade. There is no solution in it.

import type { Exercise, Transport } from "../../exercises/exercise.ts";
import { cFiles } from "./c.ts";
import { javaFiles } from "./java.ts";
import { pythonFiles } from "./python.ts";
import { typescriptFiles } from "./typescript.ts";

/** What the templates are about. */
export interface Kit {
  readonly name: string;
  readonly summary: string;
  readonly transport: Transport;
  readonly port: number;
  /** How a message looks on the wire, in lines of at most 90 characters, for a comment. */
  readonly wire: readonly string[];
}

/** A language: its files by name, and what is typed to run them. */
export interface Language {
  /** What builds it before it runs, where that is needed: `make`. */
  readonly build: string | null;
  readonly server: string;
  readonly client: string;
  files(kit: Kit): Readonly<Record<string, string>>;
}

/** The languages of `--lang`. In the commands, `{port}` and `{host}` are as `netlab grade` has them. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  python: {
    build: null,
    server: "python3 server.py {port}",
    client: "python3 client.py {host} {port}",
    files: pythonFiles,
  },
  typescript: {
    build: null,
    server: "deno run --allow-net --unstable-net server.ts {port}",
    client: "deno run --allow-net --unstable-net client.ts {host} {port}",
    files: typescriptFiles,
  },
  java: { build: "make", server: "java Server {port}", client: "java Client {host} {port}", files: javaFiles },
  c: { build: "make", server: "./server {port}", client: "./client {host} {port}", files: cFiles },
};

/** The files of a starter kit by name. @param wire the wire format in lines */
export function starterKit(exercise: Exercise, language: Language, wire: readonly string[]): Record<string, string> {
  const { name, summary, port, transports: [transport] } = exercise;
  const kit: Kit = { name, summary, transport, port, wire };
  return { ...language.files(kit), Makefile: makefile(kit, language), "README.md": readme(kit, language) };
}

function makefile({ name, port }: Kit, { build, server, client }: Language): string {
  const say = (command: string) => command.replace("{port}", "$(PORT)").replace("{host}", "$(HOST)");
  const before = build === null ? "" : " all";
  return `# make run-server, make run-client: run them.  make grade, make grade-client: what they are worth.

PORT = ${port}
HOST = 127.0.0.1
NETLAB = netlab

.PHONY: all run-server run-client grade grade-client clean
${build === null ? "all:\n\t@echo nothing to build" : BUILD_RULES}

run-server:${before}
	${say(server)}

run-client:${before}
	${say(client)}

grade:${before}
	$(NETLAB) grade ${name} --run '${server}'

grade-client:${before}
	$(NETLAB) grade ${name} --client '${client}'

clean:
	rm -f ${build === null ? "*.pyc" : "server client *.class"}
`;
}

/** How C and Java are built: each by the file that is there. */
const BUILD_RULES = `all: $(patsubst %.c,%,$(wildcard *.c)) $(patsubst %.java,%.class,$(wildcard *.java))

%: %.c
	$(CC) -std=c11 -Wall -Wextra -D_POSIX_C_SOURCE=200809L -pthread -o $@ $<

%.class: %.java
	javac $<`;

function readme({ name, summary, transport }: Kit, { build, server, client }: Language): string {
  return `# ${name}

${summary[0].toUpperCase()}${summary.slice(1)} (over ${transport.toUpperCase()}).

The server and the client start, and do nothing yet. What goes over the wire stands at the top of each, and
\`netlab explain ${name}\` shows it with a dialogue. Look at how it should be:

    netlab serve ${name}            in one terminal, and in another
    netlab connect ${name} --trace

${
    build === null
      ? ""
      : `Build with \`${build}\`. `
  }Run yours with \`make run-server\` and \`make run-client\`; each also works with netlab's other side.

## What it is worth

    make grade              netlab grade ${name} --run '${server}'
    make grade-client       netlab grade ${name} --client '${client}'

Each check says what it did, what it expected, what came, and why that usually happens; the last line of a failure runs just
that again. A message may arrive in pieces, and several may arrive at once: half of the points are for that.
`;
}
