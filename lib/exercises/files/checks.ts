// Black-box checks of any file server of this kind. In its folder has to be `hello.txt` with one line, `hello`.

import {
  type Check,
  connect,
  expect,
  type Expectation,
  expectEnd,
  expectRest,
  forbid,
  leave,
  mentions,
  send,
  sendBytes,
  type Step,
} from "../check.ts";
import { HELLO_DIGEST } from "./protocol.ts";

const hello = mentions("the line hello", "hello");
const ok: Expectation = {
  what: "OK, the size 6 and the digest",
  matches: (text) => new RegExp(`OK 6 ${HELLO_DIGEST}`, "i").test(text),
};
const refused = (code: number): Expectation => ({
  what: `ERROR ${code}`,
  matches: (text) => new RegExp(`^ERROR ${code}\\b`, "im").test(text),
});
const secret: Expectation = { what: "a file from elsewhere", matches: (text) => /root:|localhost/.test(text) };

const asksOn = (who: string): Step[] => [send(who, "GET hello.txt"), expect(who, ok)];

const GETS = "GET gives the size, the digest and the content";

export const checks: readonly Check[] = [
  { name: GETS, points: 4, steps: [...connect("alice"), send("alice", "GET hello.txt"), expect("alice", ok)] },
  {
    name: "a bare name gives the content, and the end of the connection",
    points: 4,
    steps: [...connect("alice"), send("alice", "hello.txt"), expectRest("alice", hello)],
  },
  {
    name: "LIST gives how many files there are, and their sizes and names",
    points: 2,
    steps: [
      ...connect("alice"),
      send("alice", "LIST"),
      expect("alice", mentions("OK and a number", "OK ")),
      send("alice", "STAT hello.txt"),
      expect("alice", ok),
    ],
  },
  {
    name: "STAT gives size and digest",
    points: 1,
    steps: [...connect("alice"), send("alice", "STAT hello.txt"), expect("alice", ok)],
  },
  {
    name: "GET with an offset gives the rest, and the digest of the whole",
    points: 2,
    needs: [GETS],
    steps: [
      ...connect("alice"),
      send("alice", "GET hello.txt 3"),
      expect("alice", mentions("OK 3 and the digest", "OK 3", HELLO_DIGEST)),
    ],
  },
  {
    name: "a file that is not there is refused, and the client may go on",
    points: 2,
    needs: [GETS],
    steps: [...connect("alice"), send("alice", "GET nothing.txt"), expect("alice", refused(404)), ...asksOn("alice")],
  },
  {
    name: "a bare name of a file that is not there is answered as the course's server does",
    points: 1,
    steps: [
      ...connect("alice"),
      send("alice", "nothing.txt"),
      expectRest("alice", mentions("Error: File not found", "Error", "not found")),
    ],
  },
  {
    name: "nothing outside of the folder can be read",
    points: 4,
    needs: [GETS],
    steps: [
      ...connect("mallory"),
      forbid("mallory", secret),
      ...["../../../../../../etc/hosts", "/etc/passwd", "..", "./../hello.txt", "..\\hello.txt"].flatMap((name) => [
        send("mallory", `GET ${name}`),
        expect("mallory", refused(403)),
        forbid("mallory", secret),
      ]),
      ...asksOn("mallory"),
    ],
  },
  {
    name: "bytes that are no text are refused, and the client may go on",
    points: 1,
    needs: [GETS],
    framed: true,
    steps: [
      ...connect("mallory"),
      sendBytes("mallory", new Uint8Array([0xff, 0xfe]), "bytes that are no text"),
      expect("mallory", refused(400)),
      ...asksOn("mallory"),
    ],
  },
  {
    name: "several clients are served at once",
    points: 3,
    needs: [GETS],
    steps: [
      ...connect("alice", "bob", "carol"),
      ...["carol", "alice", "bob"].flatMap(asksOn),
      ...["alice", "bob", "carol"].flatMap(asksOn),
    ],
  },
  {
    name: "a client that vanishes harms nobody",
    points: 2,
    needs: [GETS],
    steps: [
      ...connect("alice", "bob"),
      send("alice", "GET hello.txt"),
      leave("alice", "reset"),
      ...asksOn("bob"),
      send("bob", "hello.txt"),
      expectEnd("bob"),
    ],
  },
];
