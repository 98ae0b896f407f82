// The sender of the seed's own form: one file, no name, nothing numbered.

import { Channel } from "../../net/channel.ts";
import { connectTcp } from "../../net/client.ts";
import { outlasts, pause, systemClock } from "../../net/clock.ts";
import type { Conn } from "../../net/conn.ts";
import { connectUdp } from "../../net/datagram_peers.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { count } from "../../protocol/text.ts";
import { watchServer } from "../client.ts";
import type { ConnectContext } from "../exercise.ts";
import { openSource, type Source } from "./files.ts";
import { bytesCodec, BytesFramer } from "./framing.ts";
import { burstOf, Pacer } from "./pacer.ts";
import { SEED_CHUNK, SEED_TIMEOUT_MS, SeedSenderMachine } from "./seed_machine.ts";
import type { SendCommand } from "./sender_machine.ts";
import { formatSent, type SentReport } from "./report.ts";

/** How long the receiver may take to end, after us, before we hang up, in ms. */
const END_MS = 5000;

/** Sends the one file. @throws {NetlabError} when it cannot be known to have arrived, where the form lets that be known */
export async function sendSeed(context: ConnectContext, leaving: AbortSignal): Promise<void> {
  const { args: files, host, port, transport, trace, console } = context;
  if (files.length > 1) throw new NetlabError("usage", "--wire seed sends one file a connection: it has no names");
  refuseOptions(context);
  const source = await openSource(files[0], files[0].split("/").at(-1)!);
  try {
    const conn = transport === "udp" ? await connectUdp(host, port) : await connectTcp(host, port);
    const channel = new Channel<Uint8Array>(conn, {
      framer: new BytesFramer(),
      codec: bytesCodec,
      trace,
      coalesce: false,
    });
    const report = transport === "udp"
      ? await sendBare(channel, conn, source, context, leaving)
      : await sendAcked(channel, source, context, leaving);
    console.print(formatSent(report), { event: "sent", ...report });
    if (transport === "udp") {
      console.note("whether it has arrived, and in order, nobody knows: nothing is acknowledged");
    } else if (report.duplicates > 0) {
      throw doubtful(report);
    } else console.note("nothing is numbered or checked: compare the files to know");
  } catch (error) {
    leaving.throwIfAborted();
    throw error;
  } finally {
    await source.close();
  }
}

/** What this form cannot do. @throws {NetlabError} of kind `usage` when it was asked for */
function refuseOptions({ options, transport }: ConnectContext): void {
  const scheme = transport === "udp" ? "none" : "stop-and-wait";
  if (options.arq !== undefined && options.arq !== scheme) {
    throw new NetlabError("usage", `--wire seed over ${transport.toUpperCase()} knows no --arq but ${scheme}`, {
      hint: "leave --arq out, or --wire seed",
    });
  }
  if (options.as !== undefined) throw new NetlabError("usage", "--wire seed sends no name: leave --as out");
  if (options.resume) throw new NetlabError("usage", "--wire seed cannot resume: it has neither names nor numbers");
}

/** More acknowledgements came than chunks were sent. */
function doubtful({ duplicates, retransmissions, chunk }: SentReport): NetlabError {
  if (retransmissions === 0) {
    return new NetlabError("reply", `${count(duplicates, "more ACK")} came than chunks were sent`, {
      hint: chunk === SEED_CHUNK
        ? "the receiver has to collect a chunk's bytes before it answers"
        : `the receiver does not take ${chunk} bytes for a chunk: the seed's takes ${SEED_CHUNK}, as without --chunk`,
    });
  }
  return new NetlabError(
    "reply",
    `${count(duplicates, "chunk")} ${
      duplicates === 1 ? "was" : "were"
    } acknowledged twice: the file may be too long there`,
    {
      hint: "the acknowledgements took longer than --timeout, and this form cannot tell a copy from the next chunk",
    },
  );
}

/** Why there may be no ACK for a chunk of another size than the receiver's. */
function explain(failure: Error, chunk: number): Error {
  if (!(failure instanceof NetlabError) || failure.kind !== "timeout" || chunk === SEED_CHUNK) return failure;
  return new NetlabError(failure.kind, failure.message, {
    hint: `the seed's receiver takes ${SEED_CHUNK} bytes for a chunk, and may wait for them: leave --chunk out`,
    cause: failure,
  });
}

async function sendAcked(
  channel: Channel<Uint8Array>,
  source: Source,
  context: ConnectContext,
  leaving: AbortSignal,
): Promise<SentReport> {
  const { options, trace } = context;
  const begun = performance.now();
  const chunk = Number(options.chunk ?? SEED_CHUNK);
  const machine = new SeedSenderMachine({
    chunk,
    timeoutMs: Number(options.timeout ?? SEED_TIMEOUT_MS),
    retries: Number(options.retries ?? 12),
  });
  let bytes = 0;
  const driven: Driven<Uint8Array, SendCommand> = drive(machine, {
    clock: systemClock,
    send: (message) => void channel.send(message),
    onEvent: (event) => event.type === "hungry" && void feed(),
    trace,
    id: channel.id,
  });
  async function feed(): Promise<void> {
    try {
      await Promise.resolve();
      const block = await source.read();
      bytes += block?.length ?? 0;
      const command = block === null
        ? { type: "finish", digest: new Uint8Array(0) } as const
        : { type: "data", bytes: block } as const;
      driven.input({ type: "command", command });
    } catch (error) {
      driven.input({ type: "command", command: { type: "cancel", why: (error as Error).message } });
    }
  }
  const listening = channel.each((message) => driven.input({ type: "message", message }), () => {});
  void listening.then(() => driven.input({ type: "end" }));
  const leave = () => driven.input({ type: "command", command: { type: "cancel", why: "interrupted" } });
  leaving.addEventListener("abort", leave);
  const unwatch = watchServer(channel, context, (error) => {
    driven.input({ type: "end", error });
    channel.abort("silent");
  });
  const failure = await driven.finished;
  unwatch();
  leaving.removeEventListener("abort", leave);
  if (failure && leaving.aborted) {
    context.console.note(
      `interrupted: ${
        Math.min(bytes, machine.chunks * chunk)
      } bytes were sent, which the receiver takes for all of it: this form has no other end`,
    );
    channel.abort("interrupted");
  }
  const seconds = (performance.now() - begun) / 1000;
  // To hang up on acknowledgements that are still coming would reset the connection, and the end of the file be lost.
  await channel.closeWrite();
  await outlasts(listening, END_MS);
  await channel.close();
  if (failure) throw explain(failure, chunk);
  const { rttMs, chunks, retransmissions } = machine;
  return {
    ...{
      name: source.name,
      scheme: "seed",
      bytes,
      chunks,
      retransmissions,
      duplicates: machine.repeated,
      seconds,
      rttMs,
    },
    ...{ goodputBps: 8 * bytes / seconds, allowedBps: rttMs === null ? null : 8000 * chunk / rttMs, chunk, window: 1 },
  };
}

async function sendBare(
  channel: Channel<Uint8Array>,
  conn: Conn,
  source: Source,
  { options, console }: ConnectContext,
  leaving: AbortSignal,
): Promise<SentReport> {
  const begun = performance.now();
  const chunk = Number(options.chunk ?? SEED_CHUNK);
  const pacer = new Pacer(Infinity, burstOf(chunk), systemClock.now());
  let [bytes, chunks] = [0, 0];
  let rest = new Uint8Array(0);
  for (let block; (block = await source.read()) !== null;) {
    const joined = new Uint8Array(rest.length + block.length);
    joined.set(rest);
    joined.set(block, rest.length);
    let at = 0;
    for (; at + chunk <= joined.length; at += chunk, chunks++) {
      if (leaving.aborted) {
        console.note(`interrupted: ${chunks} chunks were sent; the receiver waits in vain for the end`);
        await channel.close();
        throw leaving.reason;
      }
      channel.send(joined.subarray(at, at + chunk));
      pacer.left();
      while (!pacer.mayLeave(0, systemClock.now())) {
        await channel.flushed();
        await pause(1);
        pacer.refill(0, systemClock.now());
      }
    }
    rest = joined.subarray(at);
    bytes += block.length;
  }
  if (rest.length > 0) {
    channel.send(rest);
    chunks++;
  }
  await channel.flushed();
  await conn.write(new Uint8Array(0));
  const seconds = (performance.now() - begun) / 1000;
  await channel.close();
  return {
    ...{ name: source.name, scheme: "seed", bytes, chunks, retransmissions: 0, duplicates: 0, seconds, rttMs: null },
    ...{ goodputBps: 8 * bytes / seconds, allowedBps: null, chunk, window: 1 },
  };
}
