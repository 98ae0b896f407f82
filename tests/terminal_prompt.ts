// A program for the tests of the terminal: it says something, asks for a line, and says more as soon as what it said first
// is out, or as many microtasks later as its argument says. No write ends before all else has had its turn.

import { openConsole } from "../lib/cli/console.ts";
import { LineWriter } from "../lib/cli/output.ts";
import { settle } from "./helpers.ts";

let isFirst = true;
const out = new LineWriter({
  async write(bytes) {
    await import("../lib/cli/terminal.ts");
    for (let turn = 0; turn < 3; turn++) await settle();
    Deno.stdout.writeSync(bytes);
    if (isFirst) void sayMore();
    isFirst = false;
    return bytes.length;
  },
});
const console = openConsole(
  { out, err: new LineWriter(Deno.stderr), width: 80 },
  { json: false, quiet: false, onInterrupt() {}, onBadInput() {} },
);

async function sayMore(): Promise<void> {
  const [microtasks] = Deno.args;
  for (let left = Number(microtasks); left > 0; left--) await null;
  console.print(`said second, ${microtasks} later`);
}

console.print("said first");
for await (const _ of console.lines()) break;
