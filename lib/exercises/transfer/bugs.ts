// Mistakes that a receiver of files can make. They are mistakes in what it hears and says: its machine knows of none.

import type { Session } from "../../net/server.ts";
import { encodeText } from "../../protocol/text.ts";
import { type Bug, firstOnly, oneAtATime, oneRecv, rehear, reread, resay, spoil } from "../bug.ts";
import { CAUSE } from "./checks.ts";
import {
  acceptPdu,
  ackPdu,
  donePdu,
  ERROR_CODES,
  HEADER_BYTES,
  nameProblem,
  openPdu,
  type Pdu,
  PDU_TYPES,
  readError,
  readOffer,
  sealPdu,
} from "./protocol.ts";

/** What comes is heard as something else: one PDU, or none. `change` is made anew for each connection. */
const mishears = (make: () => (pdu: Pdu) => Pdu | null) =>
  spoil<Pdu | null, Pdu>((options) =>
    rehear(options, (session: Session<Pdu | null>) => {
      const change = make();
      return {
        onMessage(pdu) {
          const heard = pdu && change(pdu);
          if (pdu === null || heard !== null) return session.onMessage(heard);
        },
      };
    })
  );

/** What is to be said is said as something else, or not at all. */
const missays = (change: (pdu: Pdu) => Pdu | null) =>
  spoil<Pdu | null, Pdu>((options) => resay(options, (pdu) => change(pdu)));

/** A refusal of that kind is not said, but something else. */
const insteadOf = (code: number, other: (pdu: Pdu) => Pdu | null) =>
  missays((pdu) => pdu.type === "ERROR" && readError(pdu).code === code ? other(pdu) : pdu);

const saysDone = ({ session, seq }: Pdu) => donePdu(session, seq, 0);

/** Chunks get other numbers, by transfer; `next` starts with what a transfer begins with. */
const renumbers = (number: (seq: number, state: { last: number; shift: number; count: number }) => number) =>
  mishears(() => {
    const states = new Map<number, { last: number; shift: number; count: number }>();
    return (pdu) => {
      if (pdu.type === "OPEN") states.set(pdu.session, { last: -1, shift: 0, count: 0 });
      const state = states.get(pdu.session);
      return pdu.type === "DATA" && state ? { ...pdu, wire: undefined, seq: number(pdu.seq, state) } : pdu;
    };
  });

/** A datagram whose checksum is right, whatever is in it. */
function mended(datagram: Uint8Array): Uint8Array {
  const type = PDU_TYPES[datagram[0] - 1];
  if (datagram.length < HEADER_BYTES || type === undefined) return datagram;
  const bytes = datagram.slice();
  const view = new DataView(bytes.buffer);
  sealPdu(bytes, type, bytes[1], view.getUint32(2), view.getUint32(6));
  return bytes;
}

export const bugs: readonly Bug[] = [
  oneRecv,
  firstOnly,
  oneAtATime,
  {
    name: "never-acks-again",
    summary: "acknowledges each chunk once: who has not heard it waits for ever",
    cause: CAUSE.again,
    spoil: spoil<Pdu | null, Pdu>((options) => {
      const said = new Set<string>();
      return resay(options, (pdu, { id }) => {
        const key = `${id} ${pdu.session} ${pdu.seq} ${pdu.payload}`;
        if (pdu.type === "ACK" && said.has(key)) return null;
        if (pdu.type === "ACK") said.add(key);
        return pdu;
      });
    }),
  },
  {
    name: "writes-twice",
    summary: "takes a chunk that was sent again for the next one",
    cause: CAUSE.twice,
    spoil: renumbers((seq, state) => {
      if (seq === state.last) state.shift++;
      state.last = seq;
      return seq + state.shift;
    }),
  },
  {
    name: "order-of-arrival",
    summary: "writes chunks in the order in which they come, whatever their numbers",
    cause: CAUSE.order,
    spoil: renumbers((_, state) => state.count++),
  },
  {
    name: "loses-the-last",
    summary: "waits for a whole chunk, where the last one is shorter",
    cause: CAUSE.last,
    spoil: mishears(() => {
      const chunks = new Map<number, number>();
      return (pdu) => {
        if (pdu.type === "OPEN") chunks.set(pdu.session, readOffer(pdu).chunk);
        return pdu.type === "DATA" && pdu.payload.length < (chunks.get(pdu.session) ?? 0) ? null : pdu;
      };
    }),
  },
  {
    name: "keeps-nothing-ahead",
    summary: "throws away what comes ahead of its turn, with selective repeat, too",
    cause: CAUSE.selective,
    spoil: missays((pdu) => pdu.type === "ACK" ? ackPdu(pdu.session, pdu.seq) : pdu),
  },
  {
    name: "no-checksum",
    summary: "takes what was damaged on the way",
    cause: CAUSE.checksum,
    transports: ["udp"],
    spoil: (options) => reread(options, mended),
  },
  {
    name: "no-digest",
    summary: "says DONE whatever has arrived",
    cause: CAUSE.digest,
    spoil: insteadOf(ERROR_CODES.digest, saysDone),
  },
  {
    name: "counts-nothing",
    summary: "says DONE though chunks are missing",
    cause: CAUSE.lost,
    spoil: insteadOf(ERROR_CODES.lost, saysDone),
  },
  {
    name: "any-name",
    summary: "takes any name, wherever it leads",
    cause: CAUSE.anyName,
    // It is made harmless: what is to be seen is that it is accepted.
    spoil: mishears(() => (pdu) => {
      if (pdu.type !== "OPEN") return pdu;
      const offer = readOffer(pdu);
      return nameProblem(offer.name) === null ? pdu : openPdu(pdu.session, { ...offer, name: `any-${pdu.session}` });
    }),
  },
  {
    name: "overwrites",
    summary: "takes a file whose name is there already",
    cause: CAUSE.overwrites,
    spoil: insteadOf(ERROR_CODES.exists, ({ session }) => acceptPdu(session, 0, 1, null)),
  },
  {
    name: "acks-each-read",
    summary: "acknowledges what one read brings, though it may be a piece of a chunk",
    cause: CAUSE.seedPieces,
    transports: ["tcp"],
    wires: ["seed"],
    spoil: spoil<Uint8Array, Uint8Array>((options) =>
      rehear(options, (_, channel) => ({ onMessage: () => void channel.send(encodeText("ACK")) }))
    ),
  },
];
