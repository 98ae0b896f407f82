// The standalone binary, used as on a lab machine: in a folder of its own, with no Deno, no settings and nothing else
// around. NETLAB_BINARY names one; otherwise one is made, where a runtime base is at hand.

import { assertEquals, assertMatch, assertNotMatch, assertRejects, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { exercises } from "../lib/exercises/registry.ts";
import { build, BuildError, executable, findCompiler } from "../tools/build.ts";
import { Program, runProgram, startServer } from "./cli_helpers.ts";
import { skipIf, test } from "./helpers.ts";
import { makeWav } from "./stream_helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";

const given = Deno.env.get("NETLAB_BINARY");
const canMake = Deno.env.has("NETLAB_COMPILE_DENO") || Deno.env.has("DENORT_BIN");
const why = "set NETLAB_BINARY to the binary to test, or NETLAB_COMPILE_DENO and DENORT_BIN to make one";

test("the binary does what netlab does, needing nothing, asking for nothing", async (t) => {
  const cwd = await Deno.makeTempDir({ prefix: "netlab-binary-" });
  try {
    const name = executable("netlab");
    if (given) await Deno.copyFile(given, `${cwd}/${name}`);
    else await build(await findCompiler(), cwd, name);
    await use(t, cwd, [`${cwd}/${name}`]);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}, skipIf(given || canMake ? null : why));

test("a new binary that cannot take the place of what is there is a reason in a line, and leaves nothing", async () => {
  const dir = await Deno.makeTempDir({ prefix: "netlab-binary-" });
  try {
    const name = executable("netlab");
    await Deno.mkdir(`${dir}/${name}/in-the-way`, { recursive: true });
    const { status, message, hint } = await assertRejects(
      async () => build(await findCompiler(), dir, name),
      BuildError,
    );
    assertEquals([status, hint], [3, "is it running?"]);
    assertStringIncludes(message, `can't replace ${dir}/${name}: `);
    assertEquals([...Deno.readDirSync(dir)].map((entry) => entry.name), [name]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, skipIf(canMake ? null : why));

async function use(t: Deno.TestContext, cwd: string, command: string[]): Promise<void> {
  const start = { cwd, command, env: { PATH: "/nonexistent", HOME: cwd, DENO_DIR: `${cwd}/none` } };

  await t.step("--version says which it is, and that it stands alone", async () => {
    const { status, out, err } = await runProgram("--version --verbose", start);
    assertEquals([status, err], [0, ""]);
    assertMatch(out, new RegExp(`^netlab ${config.version}\n(.*\n)*.*, standalone\n$`));
  });

  await t.step("list lists", async () => {
    const { status, out, err } = await runProgram("list --json", start);
    assertEquals([status, err], [0, ""]);
    assertEquals(out.trimEnd().split("\n").map((row) => JSON.parse(row).name), exercises.map(({ name }) => name));
  });

  await t.step("bad usage is one line, with status 2", async () => {
    const { status, out, err } = await runProgram("serve no-such-exercise", start);
    assertEquals([status, out], [2, ""]);
    assertEquals(err, "netlab: no such exercise: no-such-exercise: netlab list shows them all\n");
  });

  await t.step("serve and connect chat, with a trace in a file, and end well", async () => {
    const { server, port } = await startServer("--trace-file trace.jsonl", start);
    await using _ = server;
    const { status, out, err } = await runProgram(`connect chat localhost ${port}`, {
      ...start,
      input: "NAME alice\nMSG alice hi\n",
    });
    assertEquals([status, out], [0, "HELLO alice\nalice sent hi\nEXIT\n"], err);
    server.signal("SIGTERM");
    assertEquals((await server.result()).status, 0);
    assertStringIncludes(await Deno.readTextFile(`${cwd}/trace.jsonl`), '"text":"alice sent hi"');
  });

  await t.step("a server on all interfaces finds this machine's address without asking", async () => {
    await using server = new Program("serve chat --port 0", start);
    await server.err.until(/here: .*\n/);
    server.signal("SIGTERM");
    const { status, err } = await server.result();
    assertEquals(status, 0);
    assertNotMatch(err, /permission|NotCapable/i);
  });

  await t.step(
    "what is loaded only when it is needed is in it: pages, kits, graphs, and the libraries of mail and media",
    async () => {
      const run = async (line: string) => {
        const { status, out, err } = await runProgram(line, start);
        assertEquals(status, 0, `${line}: ${err}`);
        return out + err;
      };
      const served = async (line: string, use: (port: string) => Promise<void>) => {
        await using server = new Program(`${line} --host 127.0.0.1 --port 0`, start);
        await use(await server.out.until(/127\.0\.0\.1:(\d+)/));
      };
      assertMatch(await run("explain transfer"), /^selective-repeat: /m);
      assertMatch(await run("new chat kit"), /^kit\/server\.py$/m);
      await Deno.writeFile(`${cwd}/tone.wav`, makeWav(0.5));
      await Deno.mkdir(`${cwd}/received`);
      await served("serve transfer --dir received", async (port) => {
        await run(`connect transfer 127.0.0.1 ${port} tone.wav --plot plot.svg`);
        assertStringIncludes(await Deno.readTextFile(`${cwd}/plot.svg`), "<svg");
      });
      await served("serve stream --dir .", async (port) => {
        const said = await run(`connect stream 127.0.0.1 ${port} tone.wav --out copy.wav`);
        assertStringIncludes(said, "tone.wav: audio/wav, ");
      });
      await served("serve smtp --mailbox mail --tls self-signed", async (port) => {
        const mail = "--from a@x.org --to b@x.org --subject tone --body listen --attach tone.wav";
        await run(`connect smtp 127.0.0.1 ${port} ${mail} --starttls --tls-ca mail/.tls/cert.pem`);
        assertMatch(await run("connect smtp --list mail/b@x.org --show 1"), /^listen$/m);
      });
    },
  );

  await t.step("--color always is stronger than NO_COLOR", async () => {
    const { out } = await runProgram("list --color always", { ...start, env: { ...start.env, NO_COLOR: "1" } });
    assertStringIncludes(out, "\x1b[1mchat");
  });

  await t.step({
    name: "on a terminal, where it could ask for permissions, it does not",
    ...needsTmux(),
    fn: async () => {
      const { server, port } = await startServer("", start);
      await using _ = server;
      await using screen = await Screen.connect(port, "--name alice --quiet", { command });
      await screen.shows(/^>$/);
      await screen.type("GET");
      await screen.is("HELLO alice", "> GET");
      await screen.press("Tab");
      await screen.is("HELLO alice", "> GET_NAMES");
      await screen.press("Enter");
      await screen.is("HELLO alice", "> GET_NAMES", "alice", ">");
      await screen.press("C-d");
      await screen.is("HELLO alice", "> GET_NAMES", "alice", "EXIT", "status 0", "echo icanon isig");
    },
  });
}
