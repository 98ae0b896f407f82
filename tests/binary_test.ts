// The standalone executable, used from an unrelated folder with nothing on PATH. It is NETLAB_BINARY, or made here when
// NETLAB_COMPILE_DENO says with which Deno.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exercises } from "../lib/exercises/registry.ts";
import { NETLAB, ROOT, runProgram, startServer } from "./cli_helpers.ts";
import { skipIf, test } from "./helpers.ts";

const given = Deno.env.get("NETLAB_BINARY");
const compiler = Deno.env.get("NETLAB_COMPILE_DENO");

test("the executable says its version, lists, serves, connects and refuses wrong usage", async () => {
  await using folder = await emptyFolder();
  const command = [given ?? await compile()];
  const options = { command, cwd: folder.path, env: { PATH: "", HOME: folder.path } };

  const version = await runProgram("--version --verbose", options);
  assertEquals(version.status, 0);
  assertMatch(version.out, /^netlab \d+\.\d+\.\d+\n/);
  assertStringIncludes(version.out, "standalone");

  const list = await runProgram("list --json", options);
  assertEquals(list.out.trim().split("\n").map((line) => JSON.parse(line).name), exercises.map(({ name }) => name));

  const wrong = await runProgram("serve cht", options);
  assertEquals([wrong.status, wrong.out], [2, ""]);
  assertStringIncludes(wrong.err, 'did you mean "chat"');

  const { server, port } = await startServer("--json", options);
  await using _ = server;
  const client = await runProgram(`connect chat 127.0.0.1:${port} --name alice --trace-file trace.jsonl`, {
    ...options,
    input: "GET_NAMES\nMSG alice to myself\n",
  });
  assertEquals(client.out, "HELLO alice\nalice\nalice sent to myself\nEXIT\n");
  assertEquals(client.status, 0);
  const events = (await Deno.readTextFile(`${folder.path}/trace.jsonl`)).trim().split("\n");
  assertEquals(JSON.parse(events[0]).event, "open");
  server.signal("SIGTERM");
  assertEquals((await server.result()).status, 0);
}, skipIf(given || compiler ? null : "no executable: set NETLAB_BINARY, or NETLAB_COMPILE_DENO to make one"));

test("what the executable asks for is what deno.json lists, and never everything", async () => {
  const { permissions } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  assertEquals(Object.keys(permissions.default).toSorted(), ["env", "net", "read", "sys", "write"]);
  for await (const { name } of Deno.readDir(`${ROOT}tools`)) {
    const source = await Deno.readTextFile(`${ROOT}tools/${name}`);
    assertEquals(/"(-A|--allow-all)"/.exec(source), null, name);
  }
});

async function compile(): Promise<string> {
  const deno = NETLAB[0];
  const { code, stderr } = await new Deno.Command(deno, { args: ["task", "compile"], cwd: ROOT }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return `${ROOT}dist/netlab${Deno.build.os === "windows" ? ".exe" : ""}`;
}

async function emptyFolder() {
  const path = await Deno.makeTempDir({ prefix: "netlab-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
