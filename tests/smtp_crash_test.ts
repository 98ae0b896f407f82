// The server is killed in the midst of its work, again and again: what got its 250 is in `new`, whole and once; and whatever is
// in `new` is whole. `NETLAB_CRASHES` says how often: 20 times are a test.

import { assert, assertEquals } from "@std/assert";
import { Random } from "../lib/protocol/random.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { Program } from "./cli_helpers.ts";
import { test, within } from "./helpers.ts";
import { contentOf, MailClient, readPart } from "./smtp_server_helpers.ts";

const CRASHES = Number(Deno.env.get("NETLAB_CRASHES") ?? 20);
const CRASHES_A_TEST = 20;
const CLIENTS = 8;
/** A kill comes after so many replies, at most. */
const MOST_REPLIES = 60;

/** What the clients know: which messages they began, and which of them got their 250. */
interface Ledger {
  readonly begun: Map<string, string>;
  readonly taken: Set<string>;
}

/** Sends messages until the server is gone. */
async function sendUntilGone(port: number, name: string, random: Random, ledger: Ledger, onTaken: () => void) {
  let client: MailClient | null = null;
  try {
    client = await MailClient.connect(port);
    for (let i = 0;; i++) {
      const key = `${name}-${i}`;
      const size = random.chance(0.1) ? random.int(200_000, 600_000) : random.int(0, 8000);
      const content = `Subject: ${key}\r\n\r\n${key}${"x".repeat(size)}end\r\n`;
      ledger.begun.set(key, content);
      const reply = await client.deliver(content.slice(0, -2), "a@x.org", ...random.chance(0.3) ? ["b@x.org"] : []);
      if (!reply.startsWith("250 ")) return;
      ledger.taken.add(key);
      onTaken();
    }
  } catch {
    /* the server is gone */
  } finally {
    client?.close();
  }
}

/** Starts a server, has mail sent to it, and kills it. */
async function crash(root: string, run: number, random: Random, ledger: Ledger): Promise<void> {
  await using server = new Program(["serve", "smtp", ..."--host 127.0.0.1 --port 0 --json --mailbox".split(" "), root]);
  const { port } = JSON.parse(await server.out.line());
  let left = random.int(1, MOST_REPLIES);
  const kill = () => --left === 0 && server.signal("SIGKILL");
  const senders = Array.from(
    { length: CLIENTS },
    (_, i) => sendUntilGone(port, `${run}-${i}`, new Random(random.uint32()), ledger, kill),
  );
  await within(Promise.all(senders), "the end of all senders");
}

const firstSeed = Number(Deno.env.get("NETLAB_TEST_SEED") ?? Date.now() % 1_000_000);
console.log(`smtp_crash_test.ts: NETLAB_TEST_SEED=${firstSeed}`);

for (let first = 0; first < CRASHES; first += CRASHES_A_TEST) {
  const last = Math.min(first + CRASHES_A_TEST, CRASHES);
  test(`kills ${first + 1} to ${last} under load lose nothing, double nothing, and leave nothing half-written in new`, () =>
    crashAndCount(first, last, new Random(firstSeed + first)));
}

/** Several crashes, one after the other, over the same mailboxes; then what is in them is compared to what was sent. */
async function crashAndCount(first: number, last: number, random: Random): Promise<void> {
  const root = temporaryFolder();
  const ledger: Ledger = { begun: new Map(), taken: new Set() };
  for (let run = first; run < last; run++) await crash(root, run, random, ledger);
  const found = new Map<string, number>();
  for (const mailbox of ["a@x.org", "b@x.org"]) {
    for (const file of readPart(root, mailbox, "new")) {
      const content = contentOf(file);
      const [, key] = /^Subject: (.*)\n/.exec(content)!;
      assert(content === ledger.begun.get(key)?.replaceAll("\r\n", "\n"), `${key} in ${mailbox} is not what was sent`);
      if (mailbox === "a@x.org") found.set(key, (found.get(key) ?? 0) + 1);
    }
  }
  assertEquals([...ledger.taken].filter((key) => found.get(key) !== 1), []);
  assertEquals([...found].filter(([, count]) => count > 1), []);
  assert(ledger.taken.size >= last - first);
}
