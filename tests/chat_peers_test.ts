// Other people's programs: Python clients of three framings and nc in one room with netlab, and netlab's client, as a
// program, with a server that a course hands out.

import { assertEquals, assertMatch } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { withChat } from "./chat_helpers.ts";
import { ROOT } from "./cli_helpers.ts";
import { skipUnless, test, within } from "./helpers.ts";

const PYTHON = skipUnless("python3");

/** A program that is typed to and read a line at a time. */
class Program {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;

  constructor(command: string, args: readonly string[]) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
    this.#errors = new Response(this.#child.stderr).text();
  }

  async type(...lines: string[]): Promise<void> {
    await this.#input.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
  }

  /** The next line of its output; null at the end. */
  async line(): Promise<string | null> {
    const { value } = await within(this.#lines.read(), "a line of output");
    return value ?? null;
  }

  /** Types a line and returns the next that is printed. */
  async ask(line: string): Promise<string | null> {
    await this.type(line);
    return await this.line();
  }

  /** Ends its input, waits for its end, and returns what it still printed and how it ended. */
  async end(): Promise<{ code: number; rest: string[]; errors: string }> {
    await this.#input.close().catch(() => {});
    const rest: string[] = [];
    for (let line = await this.line(); line !== null; line = await this.line()) rest.push(line);
    const { code } = await within(this.#child.status, "the program's end");
    return { code, rest, errors: await this.#errors };
  }

  /** Ends it whatever it is doing; harmless when it has ended. */
  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.end();
  }
}

/** Runs `fn`, and afterwards stops every program that it started. */
async function withPrograms(fn: (start: (command: string, ...args: string[]) => Program) => Promise<void>) {
  const programs: Program[] = [];
  try {
    await fn((command, ...args) => {
      const program = new Program(command, args);
      programs.push(program);
      return program;
    });
  } finally {
    for (const program of programs) await program.stop();
  }
}

const client = (framing: string, port: number) => ["tests/peers/" + `chat_${framing}_client.py`, `${port}`];

test(
  "Python clients of four digits, two digits and no framing, nc and netlab's chat all in one room",
  () =>
    withChat((room) =>
      withPrograms(async (start) => {
        const { port } = room;
        const four = start("python3", ...client("len4", port));
        assertEquals(await four.line(), "Enter commands");
        assertEquals(await four.ask("NAME four"), "Server says: HELLO four");
        const two = start("python3", ...client("len2", port));
        assertEquals(await two.ask("NAME two"), "HELLO two");
        const raw = start("python3", ...client("raw", port));
        assertEquals(await raw.ask("NAME raw"), "HELLO raw");
        const nc = start("nc", "127.0.0.1", `${port}`);
        assertEquals(await nc.ask("NAME nc"), "HELLO nc");
        const netlab = start(
          Deno.execPath(),
          "run",
          "-P",
          "main.ts",
          "connect",
          "chat",
          `127.0.0.1:${port}`,
          "--name",
          "lab",
        );
        assertEquals(await netlab.line(), "HELLO lab");

        const names = "four two raw nc lab";
        assertEquals(await four.ask("GET_NAMES"), `Server says: ${names}`);
        for (const program of [two, raw, nc, netlab]) assertEquals(await program.ask("GET_NAMES"), names);
        const programs = { four, two, raw, nc, lab: netlab };
        for (const [from, sender] of Object.entries(programs)) {
          for (const [to, receiver] of Object.entries(programs)) {
            if (from === to) continue;
            await sender.type(`MSG ${to} hi from ${from}`);
            if (to === "two") await two.type(""); // it reads only when it has been typed to
            const shown = `${from} sent hi from ${from}`;
            assertEquals(await receiver.line(), to === "four" ? `Server says: ${shown}` : shown);
          }
        }
        assertEquals(await raw.ask("MSG nobody hi"), "ERROR no such user: nobody");
        assertEquals(await four.ask("NAME nc"), "Server says: ERROR name taken: nc");

        assertEquals(await four.ask("EXIT"), "Server says: EXIT");
        assertEquals(await four.end(), { code: 0, rest: [], errors: "" });
        assertEquals(await two.ask("EXIT"), "EXIT");
        assertEquals((await two.end()).code, 0);
        assertEquals(await raw.ask("EXIT"), "EXIT");
        assertEquals((await raw.end()).rest, ["connection closed"]);
        assertEquals(await nc.ask("exit"), "EXIT");
        assertEquals((await nc.end()).code, 0);
        const { code, rest } = await netlab.end();
        assertEquals([code, rest], [0, ["EXIT"]]);
        await room.emptied(5);
      })
    ),
  { ignore: PYTHON.ignore || skipUnless("nc").ignore },
);

test(
  "a Python client that counts characters is told so when its text is not ASCII",
  () =>
    withChat((room) =>
      withPrograms(async (start) => {
        const [bob] = await room.named("bob");
        const four = start("python3", ...client("len4", room.port));
        await four.line();
        assertEquals(await four.ask("NAME four"), "Server says: HELLO four");
        await four.type("MSG bob plain");
        assertEquals(await bob.receive(), "four sent plain");
        assertMatch((await four.ask("MSG bob é"))!, /^Server says: ERROR (invalid UTF-8|empty message|length field)/);
        const { rest } = await four.end();
        assertMatch(rest.join("\n"), /counts bytes, not characters/);
        assertEquals(await bob.ask("GET_NAMES"), "bob");
      })
    ),
  PYTHON,
);

test(
  "netlab's client talks to a course's server: its words, its greeting, its reads of exactly four bytes",
  () =>
    withPrograms(async (start) => {
      const server = start("python3", "tests/peers/chat_course_server.py");
      const port = (await server.line())!;
      const join = (name: string) =>
        start(Deno.execPath(), "run", "-P", "main.ts", "connect", "chat", "127.0.0.1", port, "--name", name);
      const alice = join("alice");
      assertEquals(await alice.line(), "Welcome! You can use NAME, GET_NAMES, MSG and EXIT");
      assertEquals(await alice.line(), "Hello alice");
      const bob = join("bob");
      assertEquals(await bob.line(), "Welcome! You can use NAME, GET_NAMES, MSG and EXIT");
      assertEquals(await bob.line(), "Hello bob");
      assertEquals(await alice.ask("GET_NAMES"), "alice bob ");
      assertEquals(await bob.ask("NAME alice"), "This name already exists");
      assertEquals(await bob.ask("MSG nobody hi"), "The client does not exist");
      // Many at once, none answered: each must arrive as one frame in one write.
      const texts = Array.from({ length: 20 }, (_, i) => `hi ${i}`);
      await alice.type(...texts.map((text) => `MSG bob ${text}`));
      for (const text of texts) assertEquals(await bob.line(), `alice send ${text}`);
      await bob.type("MSG alice bye");
      assertEquals(await alice.line(), "bob send bye");
      // Neither EXIT nor the end of the script is answered: the server closes, and that is a good end.
      await bob.type("EXIT");
      assertEquals((await bob.end()).code, 0);
      const { code, rest, errors } = await alice.end();
      assertEquals([code, rest], [0, []], errors);
      const got = ["'NAME alice'", "'NAME bob'", "'GET_NAMES'", "'NAME alice'", "'MSG nobody hi'"];
      const log = [...got, ...texts.map((text) => `'MSG bob ${text}'`), "'MSG alice bye'", "'EXIT'", "'EXIT'"];
      for (const message of log) assertEquals(await server.line(), `got ${message}`);
    }),
  PYTHON,
);
