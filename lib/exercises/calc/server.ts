// The calculator server: each request gets one answer, in order; nothing is kept between them.

import { Server } from "../../net/server.ts";
import { makeServerFramer } from "../../protocol/auto_framing.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { DatagramFramer } from "../../protocol/framing.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { badReply, errorReply, isError, textCodec, whyUnfit } from "../text.ts";
import { calculate, type Division, isComplete, MAX_REQUEST, parseRequest, problemOf } from "./protocol.ts";

/** Over UDP a client is gone without a word: it is remembered no longer than this, in ms. */
const REMEMBER_MS = 60_000;

/** Starts a calculator. */
export function serveCalc(context: ServeContext): RunningServer {
  const { transport, wire, limits, trace, options } = context;
  const division = String(options.division ?? "exact") as Division;
  const udp = transport === "udp";
  return new Server({
    listen: context,
    limits: udp ? { ...limits, idleMs: REMEMBER_MS, firstByteMs: REMEMBER_MS } : limits,
    trace,
    codec: textCodec,
    makeFramer: (onDecided) =>
      udp
        ? new DatagramFramer(MAX_REQUEST)
        : makeServerFramer(wire, { maxBytes: MAX_REQUEST, lengths: false, isComplete, onDecided }),
    farewells: { refuse: errorReply, bad: badReply, goodbye: !udp },
    session: (channel) => ({
      onMessage(text) {
        // Two calculators that refuse each other's refusals would never end.
        if (udp && isError(text)) return;
        const request = parseRequest(text);
        if (request.type !== "operation") throw new ProtocolError(problemOf(request));
        const result = calculate(request, division);
        const why = whyUnfit(channel.framer, result);
        channel.sendStart(why === null ? result : errorReply(why));
      },
      onEnd() {},
      forgettable: udp,
    }),
  });
}
