// README.md is true: its commands exist, its sessions print what it says, and its chat between three programs happens.
//
//     ```console   `$ command`, then what it prints: run, and compared
//     ```sh        commands that take long: their tasks exist
//     ```text      after `<!-- transcript: chat -->`: `[who] < typed` and `[who] > shown`

import { assert, assertEquals } from "@std/assert";
import { environment, Program, ROOT, shimFolder, startServer } from "./cli_helpers.ts";
import { skipUnless, test } from "./helpers.ts";

const readme = await Deno.readTextFile(`${ROOT}README.md`);

/** The contents of the blocks in `language`. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map((match) => match[1]);
}

test("each command that README.md gives for setting up is a task of deno.json, at its Deno", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const commands = blocks("sh").flatMap((block) => block.trim().split("\n"));
  assert(commands.includes("npx -y deno@2.9.6 task netlab serve chat"));
  assert(commands.includes("npx -y deno@2.9.6 task test"));
  for (const command of commands) {
    const task = /^npx -y deno@2\.9\.6 task (\w+)/.exec(command)?.[1];
    assert(task !== undefined && task in tasks, command);
  }
});

test("each session in README.md prints what it says", async () => {
  await using shim = await shimFolder();
  const sessions = blocks("console");
  assert(sessions.length >= 2);
  for (const session of sessions) {
    const { server, port } = await startServer();
    await using _ = server;
    for (const run of session.split(/^\$ /m).slice(1)) {
      const [command, ...expected] = run.trimEnd().split("\n");
      const { stdout } = await new Deno.Command("sh", {
        args: ["-c", command],
        clearEnv: true,
        env: environment({ PATH: `${shim.path}:${Deno.env.get("PATH")}`, NETLAB_PORT: String(port) }),
        stderr: "null",
      }).output();
      assertEquals(new TextDecoder().decode(stdout).trimEnd().split("\n"), expected, command);
    }
  }
}, skipUnless("sh"));

test("the chat of README.md happens, between netlab, nc and its Python program", async () => {
  const { server, port } = await startServer();
  await using _ = server;
  const script = await Deno.makeTempFile({ suffix: ".py" });
  await Deno.writeTextFile(script, blocks("python")[0]);
  await using netlab = new Program(`connect chat 127.0.0.1:${port} --name alice`);
  assertEquals(await netlab.out.line(), "HELLO alice");
  await using nc = new Program(`127.0.0.1 ${port}`, { command: ["nc"] });
  await using python = new Program(`-u ${script} 127.0.0.1 ${port}`, { command: ["python3"] });
  const who: Record<string, Program> = { netlab, nc, python };

  const transcript = /<!-- transcript: chat -->\s*```text\n([^]*?)```/.exec(readme)![1].trim().split("\n");
  assertEquals(transcript.shift(), "[netlab] > HELLO alice");
  let shown = 0;
  for (const line of transcript) {
    const [, name, direction, text] = /^\[(\w+)\] ([<>]) (.*)$/.exec(line)!;
    if (direction === "<") await who[name].type(text);
    else assertEquals(await who[name].out.line(), text, line);
    if (direction === ">") shown++;
  }
  assert(shown >= 10);
  await Deno.remove(script);
}, { ignore: skipUnless("nc").ignore || skipUnless("python3").ignore });
