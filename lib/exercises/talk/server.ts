// The person who is called: one client at a time, and a machine that keeps the turns.

import type { Channel } from "../../net/channel.ts";
import { systemClock } from "../../net/clock.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { Server, type Session } from "../../net/server.ts";
import { completeWord } from "../commands.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { badReply, errorReply, freeTextFramer, isError, textCodec, whyUnfit } from "../text.ts";
import { BYE, refusal, RESEND_MS, type TalkEvent, TalkMachine } from "./protocol.ts";

/** The conversation with the one client. */
interface Talk {
  readonly channel: Channel<string>;
  readonly machine: TalkMachine;
  readonly driven: Driven<string, string>;
}

/** Starts a server with a person at it. */
export function serveTalk(context: ServeContext): RunningServer {
  const { console, limits, options, trace, transport } = context;
  const resendMs = transport === "udp" ? Number(options["resend-after"] ?? RESEND_MS) : null;
  let talk: Talk | null = null;
  let changed = () => {};

  function begin(channel: Channel<string>): Session<string> {
    const machine = new TalkMachine(resendMs, (text) => whyUnfit(channel.framer, text));
    const driven = drive(machine, {
      clock: systemClock,
      send: (text) => void channel.sendStart(text), // a refusal may be too long for it
      onEvent: (event) => show(channel, event),
      trace,
      id: channel.id,
    });
    void driven.finished.then(() => channel.because("its person left").close());
    talk = { channel, machine, driven };
    return {
      onMessage(text) {
        driven.input({ type: "message", message: text });
        changed();
      },
      onEnd() {
        driven.input({ type: "end" });
        talk = null;
        if (!this.forgettable) console.note("the conversation is over");
      },
      /** A datagram that says nothing keeps no partner out: the place is taken by the first message. */
      get forgettable() {
        return transport === "udp" && !machine.begun;
      },
    };
  }

  function show(channel: Channel<string>, event: TalkEvent): void {
    const from = channel.remote;
    if (event.type === "message") {
      console.print(`${from}: ${event.text}`, { event: "message", from, text: event.text });
    } else if (event.type === "refused") {
      console.print(`${from}: ${event.text}`, { event: "refused", from, text: event.text });
    } else if (event.type === "notSent") {
      console.note(`not sent: ${event.why}`);
    } else {
      console.note(`no answer for ${event.ms / 1000} s: something may be lost; you can send again`);
    }
  }

  async function operate(): Promise<void> {
    console.completeWith((line) => completeWord(line, [BYE]));
    console.note(`each line is a message, and has to be answered before the next; ${BYE} hangs up`);
    for await (const line of console.lines("> ")) {
      if (line.trim() === "") continue;
      // A script answers: it waits for what there is to answer.
      while (!console.interactive && !talk?.machine.owesAnswer) {
        await Promise.race([new Promise<void>((resolve) => (changed = resolve)), server.finished]);
        if (stopped) return;
      }
      if (talk === null) console.note("not sent: nobody is there yet");
      else if (line.trim() === BYE) hangUp(talk.channel);
      else talk.driven.input({ type: "command", command: line });
    }
    if (console.interactive) context.stop();
  }

  function hangUp(channel: Channel<string>): void {
    if (transport === "udp") channel.sendStart(errorReply(refusal.left()));
    void channel.because("hung up").close();
  }

  const server = new Server<string, string>({
    listen: context,
    limits: { ...limits, maxClients: 1 },
    trace,
    codec: textCodec,
    makeFramer: (onDecided) => freeTextFramer(context, onDecided),
    farewells: { refuse: errorReply, bad: badReply, full: refusal.busy(), leaving: refusal.shutdown() },
    session: begin,
    isRefusal: (text) => transport === "udp" && isError(text),
  });
  let stopped = false;
  void server.finished.then(() => (stopped = true));
  void operate();
  return server;
}
