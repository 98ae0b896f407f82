// Mistakes that the server of streams can make.

import { type Address, formatAddress } from "../../net/conn.ts";
import type { Spoil } from "../../net/server.ts";
import type { Bug } from "../bug.ts";
import { CAUSES } from "../causes.ts";
import { CAUSE } from "./checks.ts";
import { readPdu } from "./framing.ts";
import type { Mistakes, Post } from "./outlet.ts";
import {
  ACTIONS,
  encodePdu,
  ERROR_CODES,
  HEADER_BYTES,
  infoPdu,
  type Pdu,
  PDU_TYPES,
  readControl,
  readCookie,
  readError,
  readInfo,
  readRequest,
  requestPdu,
} from "./protocol.ts";

const mistake = (change: (usual: Mistakes) => Mistakes): Spoil => change as unknown as Spoil;

/** A server through whose socket something else goes. */
const passes = (through: NonNullable<Mistakes["through"]>) => mistake((usual) => ({ ...usual, through }));

/** Other PDUs are sent; null keeps one from being sent. */
const saying = (change: (pdu: Pdu) => Pdu | null) => ({ send, receive }: Post): Post => ({
  receive,
  send(bytes, to) {
    const pdu = change(readPdu(bytes)!);
    if (pdu !== null) send(encodePdu(pdu), to);
  },
});
const says = (change: (pdu: Pdu) => Pdu | null) => passes(saying(change));

/** Asks in a client's place, with the cookie that it would have been given. */
function withoutCookies({ send, receive }: Post): Post {
  const asked = new Map<string, Pdu>();
  const keyOf = ({ session }: Pdu, { hostname, port }: Address) => `${hostname} ${port} ${session}`;
  return {
    receive(bytes, from) {
      const pdu = readPdu(bytes);
      if (pdu?.type === "REQUEST") asked.set(keyOf(pdu, from), { ...pdu, payload: pdu.payload.slice() });
      receive(bytes, from);
    },
    send(bytes, to) {
      const pdu = readPdu(bytes)!;
      const request = pdu.type === "COOKIE" ? asked.get(keyOf(pdu, to)) : undefined;
      if (request === undefined) return send(bytes, to);
      receive(encodePdu(requestPdu(pdu.session, { ...readRequest(request), cookie: readCookie(pdu) })), to);
    },
  };
}

/** Whoever comes while somebody is served waits for the end of that. */
function oneAfterTheOther({ send, receive }: Post): Post {
  let served: string | null = null;
  let waiting: (readonly [Uint8Array, Address])[] = [];
  const post: Post = {
    receive(bytes, from) {
      if (served !== null && formatAddress(from) !== served) waiting.push([bytes.slice(), from]);
      else receive(bytes, from);
    },
    send(bytes, to) {
      const { type } = readPdu(bytes)!;
      if (type === "INFO") served = formatAddress(to);
      send(bytes, to);
      if (type !== "FIN" && type !== "ERROR") return;
      served = null;
      const next = waiting;
      waiting = [];
      for (const [bytes, from] of next) post.receive(bytes, from);
    },
  };
  return post;
}

/** Says that it pauses, and goes on. */
function goesOn({ send, receive }: Post): Post {
  const paused = new Set<string>();
  const keyOf = ({ session, seq }: Pdu) => `${session} ${seq}`;
  const withAction = (pdu: Pdu, action: typeof ACTIONS[number]): Pdu => {
    const payload = pdu.payload.slice();
    payload[0] = ACTIONS.indexOf(action) + 1;
    return { ...pdu, payload };
  };
  return {
    receive(bytes, from) {
      const pdu = readPdu(bytes);
      if (pdu?.type !== "CONTROL" || readControl(pdu).action !== "pause") return receive(bytes, from);
      paused.add(keyOf(pdu));
      receive(encodePdu(withAction(pdu, "resume")), from);
    },
    send(bytes, to) {
      const pdu = readPdu(bytes)!;
      send(pdu.type === "CONTROL" && paused.has(keyOf(pdu)) ? encodePdu(withAction(pdu, "pause")) : bytes, to);
    },
  };
}

/** What comes, as if its checksum were right. */
function unchecked(bytes: Uint8Array): Uint8Array {
  const type = PDU_TYPES[bytes[0] - 1];
  if (bytes.length < HEADER_BYTES || type === undefined) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [session, seq] = [view.getUint32(2), view.getUint32(6)];
  return encodePdu({ type, flags: bytes[1], session, seq, payload: bytes.subarray(HEADER_BYTES) });
}

/** What a refused client is told in place of that: a file that nobody has. */
const INVENTED = { size: 30, durationMs: null, rate: 16_000, assumed: true, mediaType: "text/plain" };

/** So much a second is as fast as it can be, in bytes. */
const FAST = 1e9;

const bug = (name: string, summary: string, cause: string, spoil: Spoil): Bug => ({
  ...{ name, summary, cause, spoil },
  wires: ["pdu"],
});

export const bugs: readonly Bug[] = [
  bug("no-cookie", "sends the file to whoever asks, with a cookie or without", CAUSE.cookie, passes(withoutCookies)),
  bug(
    "as-fast-as-it-can",
    "sends the file as fast as it can",
    CAUSE.fast,
    mistake(() => ({
      pace: FAST,
      through: saying((pdu) => {
        if (pdu.type !== "INFO") return pdu;
        const info = readInfo(pdu);
        return infoPdu(pdu.session, { ...info, rate: 1000 * info.size / (info.durationMs ?? 1000) });
      }),
    })),
  ),
  bug("no-end", "never says that it has ended", CAUSE.end, says((pdu) => pdu.type === "FIN" ? null : pdu)),
  bug(
    "always-0",
    "gives all datagrams the number 0",
    CAUSE.seq,
    says((pdu) => pdu.type === "DATA" ? { ...pdu, seq: 0 } : pdu),
  ),
  bug("never-pauses", "confirms a pause, and goes on sending", CAUSE.pause, passes(goesOn)),
  bug("one-at-a-time", "serves one client after the other", CAUSES.oneAtATime, passes(oneAfterTheOther)),
  bug(
    "silent-missing-file",
    "says nothing when a file is not there",
    CAUSE.missing,
    says((pdu) => pdu.type === "ERROR" && readError(pdu).code === ERROR_CODES.missing ? null : pdu),
  ),
  bug(
    "leads-out",
    "gives away files outside of its folder (an invented one)",
    CAUSE.outside,
    says((pdu) =>
      pdu.type === "ERROR" && readError(pdu).code === ERROR_CODES.forbidden ? infoPdu(pdu.session, INVENTED) : pdu
    ),
  ),
  bug(
    "no-checksum",
    "obeys datagrams that were damaged on the way",
    CAUSE.damaged,
    passes(({ send, receive }) => ({ send, receive: (bytes, from) => receive(unchecked(bytes), from) })),
  ),
  bug(
    "dies-of-garbage",
    "ends, for everybody, when somebody sends what is no PDU",
    CAUSE.garbage,
    passes(({ send, receive }, end) => ({
      send,
      receive(bytes, from) {
        if (bytes.length < HEADER_BYTES) end();
        else receive(bytes, from);
      },
    })),
  ),
  bug(
    "silent-strangers",
    "says nothing to what belongs to no session",
    CAUSE.session,
    says((pdu) => pdu.type === "ERROR" && readError(pdu).code === ERROR_CODES.unknownSession ? null : pdu),
  ),
];
