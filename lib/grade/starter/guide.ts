// How a kit is built, run and graded: its Makefile and its README.md.

import { capital, type Kit, type Language } from "./kit.ts";

/** The programs of a kit: what is typed to run each, and to grade it; its command line; and what it is graded as. */
function programsOf({ both, program, files }: Kit, { run }: Language) {
  const command = `${run(program, files)} {port}`;
  if (both) {
    return [
      { target: "run", grade: "grade", command, as: "--client" },
      { target: null, grade: "grade-called", command, as: "--run" },
    ];
  }
  return [
    { target: "run-server", grade: "grade", command, as: "--run" },
    { target: "run-client", grade: "grade-client", command: `${run("client", files)} {host} {port}`, as: "--client" },
  ];
}

export function makefile(kit: Kit, language: Language): string {
  const { name, port, program, both, framing } = kit;
  const { build } = language;
  const programs = programsOf(kit, language);
  const runs = programs.flatMap(({ target }) => target ?? []);
  const grades = programs.map(({ grade }) => grade);
  const typed = (targets: string[]) => targets.map((target) => `make ${target}`).join(", ");
  const say = (command: string) => command.replace("{port}", "$(PORT)").replace("{host}", "$(HOST)");
  const wire = framing === null ? "" : " --wire $(WIRE)";
  const rule = (target: string, command: string) => `${target}:${build === null ? "" : " all"}\n\t${command}\n`;
  return `# ${typed(runs)}: ${both ? "runs it" : "run them"}.  ${typed(grades)}: what ${
    both ? "it is" : "they are"
  } worth.

PORT = ${port}
${both ? "" : "HOST = 127.0.0.1\n"}${framing === null ? "" : `WIRE = ${framing}\n`}NETLAB = netlab

.PHONY: all ${[...runs, ...grades].join(" ")} clean
${build === null ? "all:\n\t@echo nothing to build" : BUILD_RULES}

${
    [
      ...programs.flatMap(({ target, command }) => target === null ? [] : rule(target, say(command))),
      ...programs.map(({ grade, command, as }) => rule(grade, `$(NETLAB) grade ${name}${wire} ${as} "${command}"`)),
    ].join("\n")
  }
clean:
	rm -f ${build === null ? "*.pyc" : `${program}${both ? "" : " client"} *.class`}
`;
}

/** How C and Java are built: each by the file that is there. */
const BUILD_RULES = `all: $(patsubst %.c,%,$(wildcard *.c)) $(patsubst %.java,%.class,$(wildcard *.java))

%: %.c
	$(CC) -std=c11 -Wall -Wextra -D_POSIX_C_SOURCE=200809L -pthread -o $@ $<

%.class: %.java
	javac $<`;

export function readme(kit: Kit, language: Language): string {
  const { name, summary, transport, port, both, words, asked, framing, files } = kit;
  const { build } = language;
  const wire = framing === null ? "" : ` --wire ${framing}`;
  const ways = programsOf(kit, language)
    .map(({ grade, as, command }) => `    make ${grade.padEnd(18)} netlab grade ${name}${wire} ${as} "${command}"`);
  return `# ${name}

${capital(summary)} (over ${transport.toUpperCase()}).

${both ? ONE_PROGRAM : TWO_PROGRAMS}
\`netlab explain ${name}\` shows it with a dialogue. Look at how it should be:

${
    both
      ? `    netlab ${name}                 in one terminal, and in another
    netlab ${name} --port ${port + 10}    where \`connect localhost ${port}\` calls the first`
      : `    netlab serve ${name}            in one terminal, and in another
    netlab connect ${name}${words} --trace`
  }

${build === null ? "" : `Build with \`${build}\`. `}Run yours with ${both ? RUN_ONE : RUN_TWO}.
${files ? "Files are those of the folder in which a program is started.\n" : ""}
## What it is worth

${ways.join("\n")}

${both ? CALLED : ""}${asked === "" ? "" : typed(asked)}${framing === null ? "" : framed(framing)}${PIECES}`;
}

const ONE_PROGRAM = "The program starts, and does nothing yet. What goes over the wire stands at the top of it, and";
const TWO_PROGRAMS =
  "The server and the client start, and do nothing yet. What goes over the wire stands at the top of each, and";

const RUN_ONE = "`make run`; it works with another of yours, and with netlab's";
const RUN_TWO = "`make run-server` and `make run-client`; each also works with netlab's other side";

const CALLED = `The first types at your program, \`connect\` and the rest; the second only calls it.

`;

const typed = (asked: string) =>
  `The second types at your client what it is to do: \`${asked}\`.
If it takes that from its command line, write \`{args}\` behind \`{port}\` in the Makefile.

`;

const framed = (framing: string) =>
  `Messages are framed in one of the ways at the top: netlab's server finds out in which, and yours needs only ${framing}. To
be graded in another, say so: \`make grade WIRE=${framing === "line" ? "len4" : "line"}\`.

`;

const PIECES =
  `Each check says what it did, what it expected, what came, and why that usually happens; the last line of a failure runs just
that again. A message may arrive in pieces, and several may arrive at once: half of the points are for that.
`;
