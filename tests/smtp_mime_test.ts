// What the client sends as a message: valid MIME, read back by Python's email module.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { readMailbox, readMailboxes } from "../lib/exercises/smtp/client_addresses.ts";
import { composeMessage, type Draft, hasUtf8Headers, normalizeMessage, numbered } from "../lib/exercises/smtp/mime.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { encodeText } from "../lib/protocol/text.ts";
import { bytes, property, skipUnless, test } from "./helpers.ts";

const DRAFT: Draft = {
  from: "Jürgen Groß <juergen@a.example>",
  to: ["b@b.example", '"Doe, Jane" <jane@c.example>'],
  subject: "Grüße: " + "ä".repeat(120),
  text: "Hällo\n.\n..x\n\nFrom here\n",
  headers: ["X-Lab: 5", "X-Wörd".replace("ö", "o") + ": ünï"],
  date: new Date("2026-01-02T03:04:05Z"),
  messageId: "1@a.example",
};

/** What Python makes of a message. */
async function parsed(message: Uint8Array): Promise<Record<string, unknown>> {
  const script = `
import sys, json, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
body = m.get_body(('plain',))
print(json.dumps({
  'from': str(m['from']), 'to': str(m['to']), 'subject': str(m['subject']), 'id': m['message-id'],
  'date': m['date'].datetime.isoformat(), 'x': m['x-lab'], 'word': str(m['x-word']),
  'text': body.get_payload(decode=True).decode('utf-8'), 'type': body.get_content_type(), 'charset': body.get_content_charset(),
  'files': [[a.get_filename(), a.get_payload(decode=True).hex()] for a in m.iter_attachments()],
  'defects': [str(d) for p in m.walk() for d in p.defects] + [str(d) for k in m.keys() for d in m[k].defects],
}))`;
  const child = new Deno.Command("python3", { args: ["-c", script], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(message as Uint8Array<ArrayBuffer>);
  await writer.close();
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What every message is, by RFC 5321 and 5322: ASCII, CRLF, lines of at most 998 bytes. */
function assertWellFormed(message: Uint8Array): void {
  const text = new TextDecoder("latin1").decode(message);
  assert(message.every((byte) => byte < 0x80), "a byte beyond ASCII");
  assert(!/[^\r]\n|\r[^\n]|\0/.test(text), "a bare CR or LF");
  assert(text.split("\r\n").every((line) => line.length <= 998), "a long line");
  assert(text.includes("\r\n\r\n"));
}

test("headers, text and files are read back as they were meant", async () => {
  const attachments = [
    { name: "naïve – ünï.txt", bytes: bytes("a\nb") },
    { name: 'a "b";c.bin', bytes: Uint8Array.from({ length: 300 }, (_, i) => i) },
  ];
  const message = await composeMessage({ ...DRAFT, attachments });
  assertWellFormed(message);
  const got = await parsed(message);
  assertEquals(got, {
    from: "Jürgen Groß <juergen@a.example>",
    to: 'b@b.example, "Doe, Jane" <jane@c.example>',
    subject: DRAFT.subject!,
    id: "<1@a.example>",
    date: "2026-01-02T03:04:05+00:00",
    x: "5",
    word: "ünï",
    text: DRAFT.text.replaceAll("\n", "\r\n"),
    type: "text/plain",
    charset: "utf-8",
    files: attachments.map(({ name, bytes }) => [name, bytes.toHex()]),
    defects: [],
  });
}, skipUnless("python3"));

test("a file that is a message itself, or says so by its name, keeps its bytes", async () => {
  const content = Uint8Array.from({ length: 2000 }, (_, i) => i % 251);
  const attachments = ["a.eml", "A.MHT", "a.gzip"].map((name) => ({ name, bytes: content }));
  const message = await composeMessage({ ...DRAFT, attachments });
  assertWellFormed(message);
  const { files, defects } = await parsed(message);
  assertEquals([files, defects], [attachments.map(({ name }) => [name, content.toHex()]), []]);
}, skipUnless("python3"));

test("a message without files is one part", async () => {
  const message = await composeMessage({ ...DRAFT, subject: undefined });
  assertWellFormed(message);
  assert(!/^multipart/im.test(new TextDecoder().decode(message)));
});

test("a message without a sender is from the mail system, unless a header says another", async () => {
  const from = async (headers: string[]) =>
    (await parsed(await composeMessage({ ...DRAFT, from: null, headers }))).from;
  assertEquals(await from([]), "Mail Delivery System <MAILER-DAEMON@netlab.invalid>");
  assertEquals(await from(["From: a@x.example"]), "a@x.example");
}, skipUnless("python3"));

test("a header of the user's takes the place of ours", async () => {
  const message = await composeMessage({
    ...DRAFT,
    headers: ["subject: mine", "Reply-To: x@y.example", "X-A: 1", "X-A: 2"],
  });
  const head = new TextDecoder().decode(message).split("\r\n\r\n")[0];
  assertEquals(head.match(/^Subject:.*$/gmi), ["Subject: mine"]);
  assertEquals(head.match(/^Reply-To:.*$/gmi), ["Reply-To: x@y.example"]);
  assertEquals(head.match(/^X-A:.*$/gmi), ["X-A: 1", "X-A: 2"]);
});

test("names, groups and groups of nobody stand in the headers of addresses", async () => {
  const headers = ["To: undisclosed-recipients:;", 'Cc: Team: a@b.example, "c, d" <c@d.example>;, e@f.example'];
  const head = new TextDecoder().decode(await composeMessage({ ...DRAFT, headers })).split("\r\n\r\n")[0];
  assertEquals(head.match(/^(?:To|Cc):.*$/gm), [
    'To: "undisclosed-recipients":;',
    'Cc: Team:a@b.example, "c, d" <c@d.example>;, e@f.example',
  ]);
});

test("who names a header of addresses twice means the addresses of both, in one", async () => {
  const headers = ["Cc: a@b.example", "cc: C <c@d.example>"];
  const head = new TextDecoder().decode(await composeMessage({ ...DRAFT, headers })).split("\r\n\r\n")[0];
  assertEquals(head.match(/^Cc:.*$/gmi), ["Cc: a@b.example, C <c@d.example>"]);
});

test("a word longer than a line comes back whole from a header of plain text", async () => {
  const long = `an ${"0123456789".repeat(200)} end`;
  const message = await composeMessage({ ...DRAFT, subject: long, headers: [`X-Lab: ${long}ä`, `X-Word: ${long}`] });
  assertWellFormed(message);
  const { subject, x, word, defects } = await parsed(message);
  assertEquals({ subject, x, word, defects }, { subject: long, x: `${long}ä`, word: long, defects: [] });
}, skipUnless("python3"));

test("a word as long as a line is left as it is", async () => {
  const word = "x".repeat(997);
  const text = new TextDecoder().decode(await composeMessage({ ...DRAFT, subject: word }));
  assert(text.includes(`\r\n ${word}\r\n`));
});

for (
  const [what, change] of [
    ["a line end in the subject", { subject: "a\r\nBcc: x@y.z" }],
    ["a line end in a header", { headers: ["X-A: b\nBcc: x@y.z"] }],
    ["an address longer than a line", { to: [`"${"x".repeat(1000)}" <b@b.example>`] }],
    ["a reference longer than a line", { headers: [`References: <${"x".repeat(1000)}@b.example>`] }],
    ["an address that is none", { headers: ["To: Bob"] }],
    ["what is no address, beside one that is", { headers: ["Cc: a, b@c.example"] }],
    ["the same in a group, and in another header", { headers: ["reply-to: Team: a@b.example, c;"] }],
    ["a list of nobody", { headers: ["To: ,"] }],
    ["a header that says nothing", { headers: ["X-A: "] }],
    ["a header without a colon", { headers: ["X-A b"] }],
    ["a blind copy, which no header makes", { headers: ["Bcc: x@y.example"] }],
    ["a header of how the body is written", { headers: ["Content-Type: text/html"] }],
  ] as [string, Partial<Draft>][]
) {
  test(`${what} is refused`, async () => {
    const error = await assertRejects(() => composeMessage({ ...DRAFT, ...change }), NetlabError);
    assertEquals(error.kind, "usage");
  });
}

property("any text comes back, line ends apart", 30, async (random) => {
  const pool = ["a", " ", ".", "\n", "\r\n", "=", "ä", "\u{1f600}", "\t", "x".repeat(90), "From ", "-"];
  const text = Array.from({ length: random.int(0, 40) }, () => pool[random.int(0, pool.length - 1)]).join("");
  const message = await composeMessage({ ...DRAFT, text });
  assertWellFormed(message);
  const { default: PostalMime } = await import("postal-mime");
  const got = (await PostalMime.parse(message as Uint8Array<ArrayBuffer>)).text ?? "";
  assertEquals(got.replace(/\r\n/g, "\n").trimEnd(), text.replace(/\r\n|\r/g, "\n").trimEnd());
});

test("a raw message gets CRLF, and nothing else", () => {
  const cases: [string, string, number][] = [
    ["a: b\r\n\r\nc\r\n", "a: b\r\n\r\nc\r\n", 0],
    ["a: b\n\nc", "a: b\r\n\r\nc\r\n", 3],
    ["a\rb\r\n\r\r\n", "a\r\nb\r\n\r\n\r\n", 2],
    ["", "", 0],
  ];
  for (const [input, expected, newlines] of cases) {
    const { content, newlines: counted } = normalizeMessage(encodeText(input));
    assertEquals([new TextDecoder().decode(content), counted], [expected, newlines], JSON.stringify(input));
  }
});

test("only headers beyond ASCII need SMTPUTF8", () => {
  const cases: [string, boolean][] = [
    ["a: b\r\n\r\nä\r\n", false],
    ["a: ä\r\n\r\nb\r\n", true],
    ["a: b\r\n ä\r\n\r\nb\r\n", true],
    ["a: b\r\nc: ä", true],
    // Without headers all of it is the body.
    ["Grüße\r\n", false],
    ["Grüße: an alle\r\n", false],
    [" a: ä\r\n", false],
    ["\r\na: ä\r\n", false],
    ["a: b\r\nGrüße\r\nc: ä\r\n", false],
    ["", false],
  ];
  for (const [content, expected] of cases) assertEquals(hasUtf8Headers(encodeText(content)), expected, content);
});

test("of a list of addresses, the one that is none is named", async () => {
  const error = await assertRejects(() => composeMessage({ ...DRAFT, headers: ["Cc: a, b@c.example"] }), NetlabError);
  assertEquals(error.message, '--header Cc: "a" is no address');
});

test("copies of a message differ in their Message-ID alone", () => {
  const copy = numbered(encodeText("Message-ID: <1@x>\r\n\r\nhi\r\n"), "1@x");
  assertEquals([1, 27].map((count) => new TextDecoder().decode(copy(count))), [
    "Message-ID: <1.1@x>\r\n\r\nhi\r\n",
    "Message-ID: <27.1@x>\r\n\r\nhi\r\n",
  ]);
});

test("addresses are read as people write them", () => {
  const read = (text: string) => readMailboxes("to", text).map(({ address, shown }) => `${address}|${shown}`);
  assertEquals(read('a@b.c, "Doe, Jane" <j@d.e>,Max <m@f.g> , a@b.c'), [
    "a@b.c|a@b.c",
    'j@d.e|"Doe, Jane" <j@d.e>',
    "m@f.g|Max <m@f.g>",
  ]);
  // A domain beyond ASCII has a form in DNS; a local part has none.
  assertEquals(readMailbox("to", "a@bücher.example").address, "a@xn--bcher-kva.example");
  assertEquals(readMailbox("to", "jürgen@bücher.example").address, "jürgen@bücher.example");
});

for (const wrong of ["", ",", "a b@c.d", "a@b@c", "<a@b.c", "a@b.c>\r\nRCPT TO:<x@y.z"]) {
  test(`${JSON.stringify(wrong)} is no address`, () => {
    let error: unknown;
    try {
      readMailboxes("to", wrong);
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof NetlabError && error.kind === "usage", String(error));
  });
}
