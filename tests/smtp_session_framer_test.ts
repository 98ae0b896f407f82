// The framing of one SMTP connection: what silence ends in the course's way, and what is shown of what comes in.

import { assertEquals } from "@std/assert";
import type { Mode } from "../lib/exercises/smtp/server_messages.ts";
import { SessionFramer } from "../lib/exercises/smtp/session_framer.ts";
import { ByteQueue } from "../lib/protocol/byte_queue.ts";
import { bytes, test } from "./helpers.ts";

const text = (shown: Uint8Array | null) => shown && new TextDecoder().decode(shown);

test("silence ends the command that waits, and no other", () => {
  const framer = new SessionFramer(() => ({ type: "command" }), true);
  const queue = new ByteQueue();
  // Nothing waits, or a command with an end: the next one is waited for anew.
  for (const whole of ["", "NOOP\r\n"]) {
    queue.push(bytes(whole));
    framer.silence();
    assertEquals(text(framer.cut(queue)), whole === "" ? null : whole.trimEnd());
    if (whole !== "") framer.decode();
    queue.push(bytes("NO"));
    assertEquals([framer.cut(queue), framer.silenceMs], [null, 300]);
    queue.push(bytes("OP"));
    framer.silence();
    assertEquals([framer.silenceMs, text(framer.cut(queue)), framer.silenceMs], [null, "NOOP", 300]);
    framer.decode();
  }
});

/** What is shown of bytes that come in behind others. */
function shown(mode: Mode["type"], comes: string, before = ""): string | null {
  const framer = new SessionFramer(() => (mode === "chunk" ? { type: mode, left: 100 } : { type: mode }), false);
  const queue = new ByteQueue();
  queue.push(bytes(before + comes));
  return text(framer.conceal(bytes(comes), queue));
}

test("of what is said to log in, stars are shown, and its lines end where they do", () => {
  const cases: [shown: string | null, expected: string][] = [
    [shown("auth", "c2VjcmV0\r\n"), "********\r\n"],
    [shown("auth", "c2Vj\ncmV0"), "****\n****"],
    [shown("command", "NOOP\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n"), `NOOP\r\nAUTH PLAIN ${"*".repeat(16)}\r\n`],
    [shown("command", "c2VjcmV0\r\n", "AUTH LOGIN YW5u\r\n"), "********\r\n"],
    [shown("command", "MAIL FROM:<a@b.c>\r\n"), "MAIL FROM:<a@b.c>\r\n"],
    [shown("data", "AUTH is a word here\r\n"), "AUTH is a word here\r\n"],
    [shown("data", "AUTH a b\r\n.\r\nAUTH PLAIN AGFu\r\n"), "AUTH a b\r\n.\r\nAUTH PLAIN ****\r\n"],
  ];
  for (const [got, expected] of cases) assertEquals(got, expected);
});

test("behind an AUTH that came to nothing only commands are shown, and behind a login all but base64", () => {
  const framer = new SessionFramer(() => ({ type: "command" }), false);
  const say = (line: string) => {
    const queue = new ByteQueue();
    queue.push(bytes(`${line}\r\n`));
    const seen = text(framer.conceal(queue.peek(queue.length), queue))!.trimEnd();
    return [seen, framer.describe(framer.cut(queue)!)];
  };
  const none = (line: string) => ["*".repeat(line.length), "(not shown)"];
  assertEquals(say("MIAL FROM:<a@b.c>")[1], "MIAL FROM:<a@b.c>");
  say("AUTH LOGIN");
  for (const line of ["hunter2 secret", "hunter2", " s-cret", "rsettle down", "MIAL FROM:<a@b.c>", "c2VjcmV0"]) {
    assertEquals(say(line), none(line));
  }
  for (const line of ["MAIL FROM:<a@b.c>", "rset", "  NOOP"]) assertEquals(say(line), [line, line]);
  assertEquals(say("AUTHLOGIN hunter2"), ["AUTHLOGIN *******", "AUTHLOGIN (not shown)"]);
  framer.encode({ type: "reply", reply: { code: 235, lines: ["welcome"] } });
  assertEquals(say("MIAL FROM:<a@b.c>")[1], "MIAL FROM:<a@b.c>");
  assertEquals(say("c2VjcmV0"), none("c2VjcmV0"));
});

test("a dot between two LF is noticed in content cut anywhere, up to its end and no further", () => {
  const cases: [content: string, behindDot: boolean][] = [
    ["hi\n.\nQUIT\n", true],
    [".\nQUIT\n", true],
    ["hi\r\n.\nQUIT\n", true],
    ["hi\n.\n", true],
    ["hi\n..\nQUIT\n", false],
    ["hi.\n\n. \n", false],
    ["hi\n.\nQUIT\n\r\n.\r\n", false],
    ["hi\n.\nQUIT\n\r\n.\r\nhi\n", false],
  ];
  for (const [content, expected] of cases) {
    for (let split = 0; split < content.length; split++) {
      const framer = new SessionFramer(() => ({ type: "data" }), false);
      const queue = new ByteQueue();
      let behindDot: boolean | undefined;
      for (const piece of [content.slice(0, split), content.slice(split)]) {
        queue.push(bytes(piece));
        while (framer.cut(queue) !== null) behindDot = (framer.decode() as { behindDot?: boolean }).behindDot;
      }
      assertEquals(behindDot, expected, `${JSON.stringify(content)}, cut at ${split}`);
    }
  }
});

test("replies are shown as they are, whatever they ask for", () => {
  const framer = new SessionFramer(() => ({ type: "auth" }), false);
  for (const reply of ["334 VXNlcm5hbWU6\r\n", "250-s.example\r\n250 AUTH PLAIN LOGIN\r\n"]) {
    assertEquals(framer.describe(bytes(reply)), reply.replaceAll("\r\n", "\\r\\n"));
  }
  assertEquals(framer.describe(bytes("c2VjcmV0")), "(not shown)");
});
