// `netlab connect smtp` in a real terminal: a person types SMTP, Tab completes it, and a hint says what may come next.

import { assertEquals } from "@std/assert";
import { NETLAB } from "./cli_helpers.ts";
import { Peer, test } from "./helpers.ts";
import { contentOf, withOffice } from "./smtp_server_helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";

/** Types text, and has Tab complete it once it is on the line. */
async function complete(screen: Screen, text: string, completed: string): Promise<void> {
  await screen.type(text);
  await screen.endsWith(`> ${text}`);
  await screen.press("Tab");
  await screen.endsWith(`> ${completed.trimEnd()}`);
}

/** What types a line, and waits for the screen to end so. */
function speaker(screen: Screen): (text: string, ...end: string[]) => Promise<void> {
  return async (text, ...end) => {
    await screen.type(text);
    await screen.press("Enter");
    await screen.endsWith(...end, ">");
  };
}

test(
  "a message by hand: Tab completes commands and addresses, and each reply is followed by a hint",
  () =>
    withOffice({}, async ({ port, mail }) => {
      await using screen = await Screen.run(`connect smtp 127.0.0.1:${port}`, { columns: 90, rows: 40 });
      await screen.is(
        `connected to 127.0.0.1:${port}: type SMTP; Tab completes, ? lists the commands`,
        "S: 220 netlab ESMTP netlab",
        "next: EHLO and your name",
        ">",
      );
      await complete(screen, "he", "HEL");
      await screen.press("C-u");
      await complete(screen, "ehl", "EHLO ");
      await screen.type("me.example");
      await screen.press("Enter");
      await screen.endsWith("S: 250 HELP", "next: MAIL FROM:<address>", ">");
      await complete(screen, "m", "MAIL FROM:<");
      await screen.type("ann@x.org>");
      await screen.press("Enter");
      await screen.endsWith("S: 250 2.1.0 sender taken", "next: RCPT TO:<address>", ">");
      await screen.type("DATA");
      await screen.press("Enter");
      await screen.endsWith(
        "S: 503 5.5.1 say RCPT TO first",
        "not in this order: EHLO, MAIL FROM, RCPT TO, DATA",
        ">",
      );
      await complete(screen, "rc", "RCPT TO:<");
      await screen.press("Tab");
      await screen.endsWith("> RCPT TO:<ann@x.org>");
      await screen.press("Enter");
      await screen.endsWith("next: DATA, or RCPT TO:<address> for somebody else", ">");
      await screen.type("DATA");
      await screen.press("Enter");
      await screen.shows(/^now headers, an empty line, and the text; a dot alone ends it;/);
      for (const line of ["Subject: by hand", "", "DATA", "."]) {
        await screen.type(line);
        await screen.endsWith(`> ${line}`.trimEnd());
        await screen.press("Enter");
      }
      await screen.endsWith("next: MAIL FROM:<address> for another message, or QUIT", ">");
      assertEquals(mail("ann@x.org").map(contentOf), ["Subject: by hand\n\nDATA\n"]);
      await complete(screen, "q", "QUIT");
      await screen.press("Enter");
      await screen.endsWith("S: 221 2.0.0 netlab says goodbye", "status 0", "echo icanon isig");
    }),
  needsTmux(),
);

test(
  "STARTTLS and AUTH by hand: the questions are decoded, /base64 helps, Ctrl-D says QUIT",
  () =>
    withOffice({ tls: "self-signed", user: "ann:sesame" }, async ({ port, root }) => {
      const options = { columns: 90, rows: 50 };
      await using screen = await Screen.run(`connect smtp --port ${port} --tls-ca ${root}/.tls/cert.pem`, options);
      const say = speaker(screen);
      await screen.endsWith("next: EHLO and your name", ">");
      await say("EHLO me", "next: MAIL FROM:<address>, or STARTTLS");
      await say(
        "AUTH PLAIN",
        "S: 538 5.7.11 encrypt first: STARTTLS",
        "encrypt first: STARTTLS, then EHLO again",
      );
      await say("STARTTLS", "next: EHLO again: what was said in clear counts for nothing now");
      await say("EHLO me", "next: MAIL FROM:<address>, or AUTH");
      await say("/base64 sesame", "> /base64 sesame", "c2VzYW1l");
      await say("AUTH LOGIN", 'it asks "Username:": answer in base64 (* gives up; /base64 works before AUTH)');
      await say("YW5u", 'it asks "Password:": answer in base64 (* gives up; /base64 works before AUTH)');
      await say("c2VzYW1l", "S: 235 2.7.0 welcome", "next: MAIL FROM:<address>");
      await say("?", "  ?                        shows this, and sends nothing");
      await screen.press("C-d");
      await screen.endsWith("S: 221 2.0.0 netlab says goodbye", "status 0", "echo icanon isig");
    }),
  needsTmux(),
);

test(
  "what is said to log in by hand is typed unseen, and does not stay in the history",
  () =>
    withOffice({ user: "ann:sesame", "auth-insecure": true }, async ({ port }) => {
      await using screen = await Screen.run(`connect smtp --port ${port}`, { columns: 90, rows: 50 });
      const say = speaker(screen);
      const unseen = async (text: string, drawn: string, ...end: string[]) => {
        await screen.type(text);
        await screen.endsWith(drawn);
        await screen.press("Left", "C-d", text.at(-1)!, "Enter");
        await screen.endsWith(drawn, ...end, ">");
      };
      await screen.endsWith("next: EHLO and your name", ">");
      await say("EHLO me", "next: MAIL FROM:<address>, or AUTH");
      await say("/base64 sesame", "c2VzYW1l");
      // All of it in one paste, the answers before their questions; what waits for its Enter, too.
      await screen.type("AUTH LOGIN\rYW5u\rbm9uZQ==\rAUTH LOGIN\rYW5u\rbm9u");
      await screen.endsWith('it asks "Password:": answer in base64 (* gives up; /base64 works before AUTH)', "> ****");
      assertEquals((await screen.rows()).filter((row) => /YW5u|bm9/.test(row)), []);
      await say("ZQ==", "S: 535 5.7.8 wrong name or password", "wrong name or password");
      await unseen(
        "AUTH PLAIN AGFubgBub25l",
        "> AUTH PLAIN ************",
        "S: 535 5.7.8 wrong name or password",
        "wrong name or password",
      );
      await say("AUTH LOGIN", 'it asks "Username:": answer in base64 (* gives up; /base64 works before AUTH)');
      await say("YW5u", 'it asks "Password:": answer in base64 (* gives up; /base64 works before AUTH)');
      await unseen("c2VzYW1l", "> ********", "S: 235 2.7.0 welcome", "next: MAIL FROM:<address>");
      // One that comes too late, or before it is asked for.
      await say("c2VzYW1l", "it does not know that: ? lists the commands");
      for (const line of ["AUTH LOGIN", "EHLO me"]) {
        await screen.press("Up");
        await screen.endsWith(`> ${line}`);
      }
    }),
  needsTmux(),
);

test(
  "what the server says unasked is shown above the line being typed; when it goes, the client says so",
  () =>
    withServerThatLeaves(async (port, leave) => {
      await using screen = await Screen.run(`connect smtp --port ${port}`, { columns: 90 });
      await screen.endsWith("next: EHLO and your name", ">");
      await screen.type("EHLO half");
      await screen.endsWith("> EHLO half");
      await leave();
      await screen.shows(/^S: 421 closing$/);
      await screen.shows(/^netlab: the server ended the connection/);
      await screen.endsWith("status 1", "echo icanon isig");
    }),
  needsTmux(),
);

/** A server that greets, and goes when it is told to. */
async function withServerThatLeaves(fn: (port: number, leave: () => Promise<void>) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept().then(async (conn) => {
    const peer = new Peer(conn);
    await peer.send("220 hello\r\n");
    return peer;
  });
  try {
    await fn((listener.addr as Deno.NetAddr).port, async () => {
      const peer = await accepted;
      await peer.send("421 closing\r\n");
      peer.close();
    });
  } finally {
    listener.close();
  }
}

test(
  "by hand on a terminal that says it is dumb: that passwords can be seen is said before one is typed",
  () =>
    withOffice({}, async ({ port }) => {
      const command = ["env", "TERM=dumb", ...NETLAB];
      await using screen = await Screen.run(`connect smtp 127.0.0.1:${port}`, { columns: 90, rows: 20, command });
      await screen.shows(/what is typed here can be seen, passwords too/);
      await screen.type("QUIT");
      await screen.press("Enter");
      await screen.shows(/S: 221 netlab says goodbye/);
      await screen.shows(/status 0/);
    }),
  needsTmux(),
);
