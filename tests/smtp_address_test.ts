// Paths, mailboxes, domains and literals of SMTP, parameters, command and reply lines, and base64 as AUTH has it.

import { assert, assertEquals } from "@std/assert";
import {
  isDomain,
  isLiteral,
  MAX_DOMAIN,
  MAX_LOCAL,
  MAX_PATH,
  parseMailbox,
  parsePath,
} from "../lib/exercises/smtp/address.ts";
import { decodeBase64, encodeBase64 } from "../lib/exercises/smtp/base64.ts";
import { encodeReply, parseCommand, parseParameters, parseReplyLine, reply } from "../lib/exercises/smtp/protocol.ts";
import { encodeText } from "../lib/protocol/text.ts";
import { property, test } from "./helpers.ts";

/** A mailbox as `local|domain`, or `!` and what is wrong. */
function shown(text: string): string {
  const mailbox = parseMailbox(text);
  return typeof mailbox === "string" ? `!${mailbox}` : `${mailbox.local}|${mailbox.domain}`;
}

test("a mailbox is what its text stands for (RFC 5321 section 4.1.2)", () => {
  const right: [string, string][] = [
    ["a@b.example", "a|b.example"],
    ["A.b-c+d@B.Example", "A.b-c+d|b.example"],
    ["!#$%&'*+/=?^_`{|}~-@b", "!#$%&'*+/=?^_`{|}~-|b"],
    ['"a b"@b', "a b|b"],
    ['"a@b>c"@b', "a@b>c|b"],
    ['"a\\"\\\\b"@b', 'a"\\b|b'],
    ['"\\a"@b', "a|b"],
    ['""@b', "|b"],
    ["a@[192.0.2.1]", "a|[192.0.2.1]"],
    ["ä@Ö.example", "ä|xn--nda.example"],
    ["ä@XN--NDA.example", "ä|xn--nda.example"],
    ["😀@b", "😀|b"],
    ["postmaster", "postmaster|"],
    ["PostMaster", "PostMaster|"],
    ["a@1.2.3", "a|1.2.3"],
  ];
  for (const [text, expected] of right) assertEquals(shown(text), expected, text);
});

test("what is no mailbox is refused, with a reason", () => {
  const local = "the part before @ is wrong";
  const domain = "the domain is wrong";
  const none = "a mailbox is local@domain";
  const wrong: [string, string][] = [
    ...[["", none], ["a", none], ["postmasters", none], ['"a', none], ['"a"b@c', none], ['"a"', none], [
      '"a\\"@b',
      none,
    ]],
    ...[["@b", local], [".a@b", local], ["a.@b", local], ["a..b@c", local], ["a b@c", local], ["a,b@c", local]],
    ...[['a"b@c', local], ["a(b)@c", local], ["a<b@c", local], ['"a\x01"@b', local], ['"a\x7f"@b', local]],
    ...[["a@", domain], ["a@b@c", domain], ["a@.b", domain], ["a@b.", domain], ["a@b..c", domain], ["a@-b", domain]],
    ...[["a@b-", domain], ["a@b_c", domain], ["a@b c", domain], ["a@[b]", domain], ["a@[192.0.2.1", domain], [
      "a@b,c",
      domain,
    ]],
  ] as [string, string][];
  for (const [text, expected] of wrong) assertEquals(shown(text), `!${expected}`, text);
});

test("the limits of RFC 5321 section 4.5.3.1, in bytes: one less, just so, one more", () => {
  const label = "d".repeat(61) + ".";
  const domain = (length: number) => label.repeat(5).slice(0, length);
  const wrong = (text: string) => typeof parseMailbox(text) === "string";
  for (const extra of [-1, 0, 1]) {
    assertEquals(wrong(`${"l".repeat(MAX_LOCAL + extra)}@d`), extra > 0, `local ${extra}`);
    assertEquals(wrong(`${"ä".repeat(MAX_LOCAL / 2)}${"l".repeat(Math.max(extra, 0))}@d`), extra > 0, `UTF-8 ${extra}`);
    assertEquals(wrong(`a@${domain(MAX_DOMAIN + extra)}`), extra > 0, `domain ${extra}`);
    assertEquals(isDomain(domain(MAX_DOMAIN + extra)), extra <= 0, `isDomain ${extra}`);
    assertEquals("problem" in parsePath(`<a@${domain(MAX_PATH - 4 + extra)}>`), extra > 0, `path ${extra}`);
    assertEquals(isDomain("d".repeat(63 + extra)), extra <= 0, `label ${extra}`);
  }
});

test("a path ends at its own bracket, and a source route is dropped (RFC 5321 appendix C)", () => {
  const mailboxOf = (text: string, bare = false) => {
    const parsed = parsePath(text, bare);
    return "problem" in parsed ? `!${parsed.problem}` : `${parsed.mailbox?.text ?? "nobody"}|${parsed.rest}`;
  };
  assertEquals(mailboxOf("<>"), "nobody|");
  assertEquals(mailboxOf("<> SIZE=1"), "nobody|SIZE=1");
  assertEquals(mailboxOf("<a@b>  X Y"), "a@b|X Y");
  assertEquals(mailboxOf('<"a>b"@c> X'), '"a>b"@c|X');
  assertEquals(mailboxOf('<"a\\">b"@c>'), '"a\\">b"@c|');
  assertEquals(mailboxOf("<@x:a@b>"), "a@b|");
  assertEquals(mailboxOf("<@x,@y.z,@[192.0.2.1]:a@b>"), "a@b|");
  assertEquals(mailboxOf("a@b"), "!a path stands in angle brackets");
  assertEquals(mailboxOf("<a@b"), "!a > is missing");
  assertEquals(mailboxOf('<"a@b>'), "!a > is missing");
  assertEquals(mailboxOf("<a@b>X"), "!a space is missing behind >");
  for (const text of ["<@x>", "<@x:>", "<x:a@b>", "<@x,y:a@b>", "< a@b>", "<a@b >", "<<a@b>>"]) {
    assert(mailboxOf(text).startsWith("!"), text);
  }
  assertEquals(mailboxOf("a@b X Y", true), "a@b|X Y");
  assertEquals(mailboxOf("<a@b> X", true), "a@b|X");
  assertEquals(mailboxOf("", true), "!an address is missing");
});

test("address literals (RFC 5321 section 4.1.3)", () => {
  const right = ["192.0.2.1", "255.255.255.255", "IPv6:::", "IPv6:::1", "ipv6:2001:DB8::1", "IPv6:1:2:3:4:5:6:7:8"];
  const more = ["IPv6:1::8", "IPv6:::ffff:192.0.2.1", "IPv6:1:2:3:4:5:6:192.0.2.1", "IPv6:1::", "x-tag:content"];
  for (const text of [...right, ...more]) assert(isLiteral(`[${text}]`), text);
  const wrong = ["", "192.0.2", "192.0.2.256", "192.0.2.1.1", "IPv6:", "IPv6:1", "IPv6:1:2:3:4:5:6:7", "IPv6:1::2::3"];
  const others = [
    "IPv6:1:2:3:4:5:6:7:8:9",
    "IPv6:12345::",
    "IPv6:g::",
    "IPv6:1.2.3.4::",
    "IPv6:::1.2.3.256",
    ":x",
    "tag-:x",
  ];
  const odd = ["IPv6:1:::2", "IPv6:1:2:3:4:5:6:7::8", "a b:c", "tag:[x", "localhost", "IPv6:1:2:3:4:5:6:7:1.2.3.4"];
  for (const text of [...wrong, ...others, ...odd]) assertEquals(isLiteral(`[${text}]`), false, text);
  for (const text of ["192.0.2.1", "[192.0.2.1", "192.0.2.1]", "[192.0.2.1] "]) {
    assertEquals(isLiteral(text), false, text);
  }
});

property("a quoted local part stands for what was quoted, whatever that is", 1000, (random) => {
  const characters = ['"', "\\", " ", "@", ">", "<", ".", "a", "ä", "😀", ",", "/"];
  const local = Array.from({ length: random.int(0, 10) }, () => random.pick(characters)).join("");
  const path = `<"${local.replaceAll(/["\\]/g, "\\$&")}"@b.example> SIZE=1`;
  const parsed = parsePath(path);
  assert(!("problem" in parsed), path);
  assertEquals([parsed.mailbox?.local, parsed.mailbox?.domain, parsed.rest], [local, "b.example", "SIZE=1"]);
});

test("a command line is a word and what stands behind it", () => {
  const parts = (line: string) => Object.values(parseCommand(line));
  assertEquals(parts("NOOP"), ["NOOP", "NOOP", ""]);
  assertEquals(parts("mAiL FROM:<> X  "), ["MAIL", "mAiL", "FROM:<> X"]);
  assertEquals(parts("xyz abc"), [null, "xyz", "abc"]);
  assertEquals(parts(""), [null, "", ""]);
  assertEquals(parts("\u017fTARTTLS"), [null, "\u017fTARTTLS", ""]);
});

test("parameters (RFC 5321 section 4.1.2)", () => {
  assertEquals(parseParameters(""), []);
  assertEquals(parseParameters("size=1  X-y Z=ä"), [
    ...[{ keyword: "SIZE", value: "1" }, { keyword: "X-Y", value: null }, { keyword: "Z", value: "ä" }],
  ]);
  for (const text of ["=", "=1", "-x", "x=", "x=a=b", "x_y", "ä", "x=\x01", "x\ty"]) {
    assertEquals(parseParameters(text), null, text);
  }
});

test("replies of one line and of several, with enhanced codes in each (RFC 2034 section 4)", () => {
  assertEquals(encodeReply(reply(250, null, "one")), "250 one\r\n");
  assertEquals(encodeReply(reply(250, null, "one", "two")), "250-one\r\n250 two\r\n");
  assertEquals(encodeReply(reply(550, "5.1.1", "one", "two")), "550-5.1.1 one\r\n550 5.1.1 two\r\n");
  assertEquals(encodeReply(reply(334, null, "")), "334 \r\n");
});

test("a reply's line, as a client reads it (RFC 5321 section 4.2.1)", () => {
  assertEquals(parseReplyLine("250 ok"), { code: 250, last: true, text: "ok" });
  assertEquals(parseReplyLine("250-more"), { code: 250, last: false, text: "more" });
  assertEquals(parseReplyLine("354"), { code: 354, last: true, text: "" });
  assertEquals(parseReplyLine("250 "), { code: 250, last: true, text: "" });
  for (const line of ["", "25", "2500", "250ok", "150 x", "600 x", " 250 x", "abc", "250_x"]) {
    assertEquals(parseReplyLine(line), null, line);
  }
});

property("base64 there and back", 500, (random) => {
  const text = Array.from({ length: random.int(0, 20) }, () => random.pick(["a", "\0", "ä", "€", "😀", " "])).join("");
  assertEquals(decodeBase64(encodeBase64(text)), text);
  assertEquals(encodeBase64(text), btoa(Array.from(encodeText(text), (byte) => String.fromCharCode(byte)).join("")));
});

test("what is no base64, or no text, is null", () => {
  for (
    const text of [
      "a",
      "YQ",
      "YQ=",
      "YQ===",
      "=",
      "==",
      "====",
      "Y=Q=",
      "YQ==YQ==",
      "Y Q=",
      "YQ==\n",
      "YWJj%%%%",
      "_w==",
      "/w==",
    ]
  ) {
    assertEquals(decodeBase64(text), null, text);
  }
  assertEquals(decodeBase64(""), "");
});
