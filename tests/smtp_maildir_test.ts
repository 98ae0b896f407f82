// The mailboxes: what is in `new` is whole and there once, whatever the disk does; and no name leads out of their folder.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { parseMailbox } from "../lib/exercises/smtp/address.ts";
import { type Disk, type DiskFile, systemDisk } from "../lib/exercises/smtp/disk.ts";
import { mailDate } from "../lib/exercises/smtp/head.ts";
import { folderOf, Maildir } from "../lib/exercises/smtp/maildir.ts";
import { MaildirError, type NewMail } from "../lib/exercises/smtp/new_mail.ts";
import { encodeText } from "../lib/protocol/text.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { bytes, property, skipIf, skipUnless, test } from "./helpers.ts";
import { NETLAB, Program } from "./cli_helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";
import { contentOf, MailClient, readPart } from "./smtp_server_helpers.ts";

const head = (folder: string, id: string) => encodeText(`for ${folder}: ${id}\n`);

/** A message of one byte, so many times, that comes in pieces. */
async function take(mail: NewMail, size: number, piece = 10_000): Promise<void> {
  for (let left = size; left > 0; left -= piece) {
    mail.write(new Uint8Array(Math.min(piece, left)).fill(0x78));
    if (mail.heavy) await mail.relieve();
  }
}

/** All files under a folder, by path. */
function filesUnder(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesUnder(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}

for (const size of [0, 1, 4096, 262_144, 262_145, 1_000_000]) {
  test(`a message of ${size} bytes is whole in each mailbox, and nothing is left in tmp`, async () => {
    const root = temporaryFolder();
    const maildir = new Maildir(root);
    const mail = maildir.begin(["a", "b", "a"], head, size > 4096 ? 0 : size);
    await take(mail, size);
    await mail.deliver();
    assertEquals(filesUnder(root).length, 2);
    for (const folder of ["a", "b"]) {
      const text = Deno.readTextFileSync(`${root}/${folder}/new/${mail.id}`);
      assertEquals(text === `for ${folder}: ${mail.id}\n${"x".repeat(size)}`, true);
    }
    assertEquals(maildir.held, 0);
  });
}

property(
  "a line of the wire ends in LF in the file, however it comes; a bare CR or LF stays what it was",
  300,
  async (random) => {
    const root = temporaryFolder();
    const mail = new Maildir(root, { fsync: false }).begin(["a", "b"], head, random.int(0, 200));
    const content = Array.from({ length: random.int(0, 60) }, () => random.pick(["\r\n", "\r", "\n", "x", "yy\r\n"]))
      .join("");
    for (let at = 0; at < content.length;) {
      const length = random.int(1, 7);
      mail.write(encodeText(content.slice(at, at += length)));
      if (random.chance(0.1)) await mail.relieve();
    }
    assertEquals(mail.bytes, content.length);
    await mail.deliver();
    for (const folder of mail.folders) {
      const text = Deno.readTextFileSync(`${root}/${folder}/new/${mail.id}`);
      assertEquals(text, `for ${folder}: ${mail.id}\n${content.replaceAll("\r\n", "\n")}`);
    }
  },
);

test("names are never the same, and many messages at once all arrive", async () => {
  const root = temporaryFolder();
  const maildir = new Maildir(root);
  const mails = Array.from({ length: 200 }, () => maildir.begin(["a"], head));
  assertEquals(new Set(mails.map(({ id }) => id)).size, 200);
  for (const { id } of mails) assertMatch(id, /^\d+\.M\d+P\d+R[0-9a-f]{12}Q\d+\.netlab$/);
  for (const mail of mails) mail.write(encodeText(mail.id));
  await Promise.all(mails.map((mail) => mail.deliver()));
  for (const { id } of mails) assert(Deno.readTextFileSync(`${root}/a/new/${id}`).endsWith(id));
});

test("a message to many has few files open at once, and is in each mailbox", async () => {
  const root = temporaryFolder();
  let [open, most] = [0, 0];
  const create = (path: string): DiskFile => {
    const file = systemDisk.create(path);
    most = Math.max(most, ++open);
    return {
      write: (content) => file.write(content),
      writeNow: (content) => file.writeNow(content),
      sync: () => file.sync(),
      close() {
        open--;
        file.close();
      },
    };
  };
  const syncFolder = async (path: string) => {
    most = Math.max(most, ++open);
    await systemDisk.syncFolder(path);
    open--;
  };
  const mail = new Maildir(root, { disk: { ...systemDisk, create, syncFolder } })
    .begin(Array.from({ length: 100 }, (_, i) => `m${i}`), head);
  mail.write(encodeText("x"));
  await mail.deliver();
  assertEquals([filesUnder(root).filter((path) => path.includes("/new/")).length, open], [100, 0]);
  assert(most <= 16, `${most} open at once`);
});

test("a discarded message leaves nothing, even when the disk is at work on it", async () => {
  const root = temporaryFolder();
  const maildir = new Maildir(root);
  const mail = maildir.begin(["a"], head);
  mail.write(new Uint8Array(300_000));
  const relieved = mail.relieve();
  mail.discard();
  await relieved;
  const small = maildir.begin(["a"], head);
  small.write(new Uint8Array(300));
  small.discard();
  assertEquals([filesUnder(root), maildir.held], [[], 0]);
});

for (const part of ["a", "a/tmp", "a/new"]) {
  test(`${part}, which somebody takes away, is made again`, async () => {
    const root = temporaryFolder();
    const maildir = new Maildir(root);
    await maildir.begin(["a"], head).deliver();
    Deno.removeSync(`${root}/${part}`, { recursive: true });
    const mail = maildir.begin(["a"], head);
    await mail.deliver();
    assert(filesUnder(root).includes(`${root}/a/new/${mail.id}`));
  });
}

/** A disk whose operation number `failing` fails, as when it is full. */
class FullDisk implements Disk {
  operations = 0;
  failing = Infinity;

  #step(): void {
    if (++this.operations === this.failing) throw new Error("No space left on device (os error 28)");
  }

  create(path: string): DiskFile {
    this.#step();
    const file = systemDisk.create(path);
    return {
      write: async (content) => {
        // Half of it fits.
        if (this.operations + 1 === this.failing) await file.write(content.subarray(0, content.length >> 1));
        this.#step();
        await file.write(content);
      },
      writeNow: (content) => {
        if (this.operations + 1 === this.failing) file.writeNow(content.subarray(0, content.length >> 1));
        this.#step();
        file.writeNow(content);
      },
      sync: async () => {
        this.#step();
        await file.sync();
      },
      close: () => file.close(),
    };
  }

  make(path: string, content: Uint8Array): void {
    const file = this.create(path);
    try {
      file.writeNow(content);
    } finally {
      file.close();
    }
  }

  mkdir(path: string): void {
    this.#step();
    systemDisk.mkdir(path);
  }

  rename(from: string, to: string): void {
    this.#step();
    systemDisk.rename(from, to);
  }

  remove(path: string): void {
    systemDisk.remove(path);
  }

  async syncFolder(path: string): Promise<void> {
    this.#step();
    await systemDisk.syncFolder(path);
  }

  syncFolderNow(path: string): void {
    this.#step();
    systemDisk.syncFolderNow(path);
  }
}

for (const size of [4096, 600_000]) {
  test(`wherever the disk is full, a message of ${size} bytes is in no mailbox, and the next one is`, async () => {
    const root = temporaryFolder();
    const disk = new FullDisk();
    for (let failing = 1;; failing++) {
      const folder = `${root}/${failing}`;
      Deno.mkdirSync(folder);
      const maildir = new Maildir(folder, { disk });
      disk.operations = 0;
      disk.failing = failing;
      const mail = maildir.begin(["a", "b", "c"], head);
      await take(mail, size);
      if (disk.operations < failing) {
        const error = await mail.deliver().then(() => null, (error) => error);
        if (error === null) break;
        assert(error instanceof MaildirError && error.full, String(error));
      } else assert((await assertRejects(() => mail.deliver(), MaildirError)).full);
      assertEquals([filesUnder(folder), maildir.held], [[], 0], `failing at operation ${failing}`);
      const next = maildir.begin(["a", "b", "c"], head);
      await take(next, size);
      await next.deliver();
      assertEquals(filesUnder(folder).length, 3);
    }
    assert(disk.operations >= 18, `${disk.operations} operations`);
  });
}

const NAMES: readonly [address: string, folder: string][] = [
  ["alice@example.org", "alice@example.org"],
  ["Alice+Tag@EXAMPLE.org", "alice+tag@example.org"],
  ['"../../x"@y.org', "%2e.%2f..%2fx@y.org"],
  ['".."@y.org', "%2e.@y.org"],
  ['"a b\\\\c"@y.org', "a%20b%5cc@y.org"],
  ['"a:b*?|<>%"@y.org', "a%3ab%2a%3f%7c%3c%3e%25@y.org"],
  ["x@[127.0.0.1]", "x@%5b127.0.0.1%5d"],
  ["Postmaster", "postmaster"],
  // Windows takes these for devices, whatever follows the first dot.
  ["con.x@example.org", "%63on.x@example.org"],
  ["lpt1.x*@example.org", "%6cpt1.x%2a@example.org"],
  ["con@example.org", "con@example.org"],
  // A domain in UTF-8 is the same in the form of DNS, and so is the mailbox (RFC 5890 section 2.3.2.1).
  ["älice@exämple.org", "älice@xn--exmple-cua.org"],
  ["älice@xn--exmple-cua.org", "älice@xn--exmple-cua.org"],
];

test("a message's date is that of its second", () => {
  const at = Date.UTC(2026, 10, 21, 23, 59, 58);
  const dates = [at, at + 999, at + 1000, at + 2000, at].map(mailDate);
  assertEquals(dates.map((date) => date.slice(0, -6)), [
    ...["Sat, 21 Nov 2026 23:59:58", "Sat, 21 Nov 2026 23:59:58", "Sat, 21 Nov 2026 23:59:59"],
    ...["Sun, 22 Nov 2026 00:00:00", "Sat, 21 Nov 2026 23:59:58"],
  ]);
  assert(dates.every((date) => date.endsWith(" +0000")));
});

test("each address has a folder that any file system can have", () => {
  for (const [address, folder] of NAMES) {
    const mailbox = parseMailbox(address);
    assert(typeof mailbox !== "string", `${address}: ${mailbox}`);
    assertEquals(folderOf(mailbox), folder);
  }
});

property("no name leads out of the folder, is too long, or is shared by two (20,000 names)", 20, (random) => {
  const seen = new Map<string, string>();
  const parts = [
    "/",
    "..",
    ".",
    "\\",
    "\0",
    "\n",
    "%2f",
    "a",
    "é",
    "字",
    "😀",
    "~",
    " ",
    ":",
    "@",
    "\x7f",
    "-",
    "x".repeat(60),
  ];
  for (let i = 0; i < 1000; i++) {
    const pick = (most: number) => Array.from({ length: random.int(1, most) }, () => random.pick(parts)).join("");
    const mailbox = { local: pick(5), domain: pick(5) };
    const folder = folderOf(mailbox);
    assertMatch(folder, /^(?!\.)[\p{L}\p{N}\p{M}@_.+=%-]+(?<!\.)$/u);
    assert(encodeText(folder).length <= 255, folder);
    const key = `${mailbox.local}@${mailbox.domain}`.toLowerCase().normalize("NFC");
    assertEquals(seen.get(folder) ?? key, key);
    seen.set(folder, key);
  }
});

/** A small disk of its own for one server: namespaces need no rights on most systems. */
const MOUNTS = ["-Urm", "sh", "-c"];
function canMount(): boolean {
  try {
    const args = [...MOUNTS, "mount -t tmpfs -o size=300k none /mnt"];
    return new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

test("a disk that is full in earnest: 452, and later mail is taken", async () => {
  const script = 'mount -t tmpfs -o size=400k none /mnt && exec "$@" --mailbox /mnt/mail';
  await using server = new Program("serve smtp --host 127.0.0.1 --port 0 --json", {
    command: ["unshare", ...MOUNTS, script, "sh", ...NETLAB],
  });
  const { port } = JSON.parse(await server.out.line());
  const client = await MailClient.connect(port);
  try {
    for (const size of [300_000, 250_000, 2_000_000]) {
      const reply = await client.deliver("x".repeat(size), "a@x.org", "b@x.org");
      assertMatch(reply, /^452 4\.3\.1/);
    }
    for (let i = 0; i < 3; i++) assertMatch(await client.deliver(`hello ${i}`, "a@x.org"), /^250/);
  } finally {
    client.close();
  }
}, skipIf(canMount() ? null : "this machine mounts no disk for a user"));

test("Python's mailbox module reads what is there", async () => {
  const root = temporaryFolder();
  const maildir = new Maildir(root);
  const mail = maildir.begin(["a@x.org"], () => encodeText("Return-Path: <b@y.org>\n"));
  mail.write(bytes("Subject: =?utf-8?b?w6Q=?=\r\n\r\nhello\r\n"));
  await mail.deliver();
  const script =
    "import mailbox,sys\nfor m in mailbox.Maildir(sys.argv[1]): print(m['return-path'], m.get_subdir(), m.get_payload().strip())";
  const { stdout } = await new Deno.Command("python3", { args: ["-c", script, `${root}/a@x.org`] }).output();
  assertEquals(new TextDecoder().decode(stdout), "<b@y.org> new hello\n");
  assertEquals(readPart(root, "a@x.org", "tmp"), []);
}, skipUnless("python3"));

test("mutt lists what is there, and shows it decoded", async () => {
  const root = temporaryFolder();
  const maildir = new Maildir(root);
  for (const [day, name, text] of [["02", "J=C3=BCrgen", "erste"], ["03", "Ann", "zweite"]]) {
    const mail = maildir.begin(["a@x.org"], () => encodeText("Return-Path: <b@y.org>\n"));
    const headers = [
      `From: =?utf-8?q?${name}?= <b@y.org>`,
      "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
      `Date: ${day} Jan 2026 03:04:05 +0000`,
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: quoted-printable",
    ];
    mail.write(encodeText(`${headers.join("\r\n")}\r\n\r\n${text} w=C3=B6rter\r\n`));
    await mail.deliver();
  }
  await using screen = await Screen.open(
    `HOME=${root} mutt -R -n -F /dev/null -e 'set folder=.' -f ${root}/a@x.org; echo status $?`,
    { columns: 90 },
  );
  await screen.shows(/^ +1 N +Jan 02 Jürgen +\([^)]*\) Grüße$/);
  await screen.shows(/^ +2 N +Jan 03 Ann +\([^)]*\) Grüße$/);
  await screen.press("2", "Enter", "Enter");
  await screen.shows(/^Date: 03 Jan 2026 03:04:05 \+0000$/);
  await screen.shows(/^zweite wörter$/);
  await screen.press("q", "x");
  await screen.endsWith("status 0");
}, needsTmux("mutt"));

test("what delivery adds can be told from the content", () => {
  assertEquals(contentOf("Return-Path: <>\nDelivered-To: a\nReceived: b\n\tc\n\td\nx\n"), "x\n");
});
