// The client: what the command line says of the files, which are sent over one connection, one after the other.

import { basename } from "node:path";
import { connectTcp } from "../../net/client.ts";
import { connectUdp } from "../../net/datagram_peers.ts";
import { type ErrorKind, kindOfAll, NetlabError } from "../../protocol/errors.ts";
import type { ConnectContext } from "../exercise.ts";
import { leavingSignal } from "../leaving.ts";
import { openSource, type Source } from "./files.ts";
import { DEFAULT_CHUNK, type Scheme } from "./protocol.ts";
import { formatSent } from "./report.ts";
import { Sender, type SendOptions } from "./sender.ts";
import { sendSeed } from "./seed_client.ts";

function readOptions({ options, transport }: ConnectContext): SendOptions {
  const scheme = (options.arq ?? (transport === "udp" ? "none" : "stop-and-wait")) as Scheme;
  return {
    scheme,
    chunk: Number(options.chunk ?? DEFAULT_CHUNK),
    window: scheme === "stop-and-wait" || scheme === "none" ? 1 : Number(options.window ?? 32),
    timeoutMs: options.timeout === undefined ? null : Number(options.timeout),
    retries: Number(options.retries ?? 12),
    resume: options.resume === true,
  };
}

/** Failures of one file: that it is refused, cannot be read, or is too large. Behind any other nothing more gets through. */
const OF_ONE: readonly ErrorKind[] = ["reply", "harness", "limit"];

/** Sends the files. @throws {NetlabError} when one of them could not be sent; those behind it are tried all the same */
export async function connectTransfer(context: ConnectContext): Promise<void> {
  const { args: files, options, console } = context;
  if (files.length === 0) {
    throw new NetlabError("usage", "nothing to send", { hint: "netlab connect transfer [HOST[:PORT]] FILE…" });
  }
  const leaving = leavingSignal(context);
  if (context.wire === "seed") return await sendSeed(context, leaving);
  const names = namesOf(files, options.as as string | undefined);
  const { host, port, transport } = context;
  const sources = await openAll(files, names);
  const failures: NetlabError[] = [];
  try {
    if (options.resume) sources.forEach(refuseToResume);
    const conn = transport === "udp" ? await connectUdp(host, port) : await connectTcp(host, port);
    await using sender = new Sender(conn, context, readOptions(context), leaving);
    for (const [i, source] of sources.entries()) {
      try {
        const report = await sender.send(source);
        console.print(formatSent(report), { event: "sent", ...report });
      } catch (error) {
        if (!(error instanceof NetlabError)) throw error;
        if (files.length === 1) throw error;
        const isLast = !OF_ONE.includes(error.kind);
        for (const { name } of isLast ? sources.slice(i) : [source]) {
          const event = { event: "failed", name, failure: error.message };
          console.print(`not sent: ${name}${isLast ? "" : `: ${error.withHint}`}`, event);
        }
        if (isLast) throw error;
        failures.push(error);
      }
    }
  } finally {
    for (const source of sources) await source.close();
  }
  if (failures.length > 0) {
    throw new NetlabError(kindOfAll(failures), `${failures.length} of ${files.length} files were not sent`, {
      hint: "why is said above",
    });
  }
}

/** What the files are to be called at the receiver. @throws {NetlabError} of kind `usage` */
function namesOf(files: readonly string[], as: string | undefined): string[] {
  if (as !== undefined && files.length > 1) {
    throw new NetlabError("usage", "--as names one file, and there are several");
  }
  return files.map((path) => {
    if (as !== undefined) return as;
    if (path === "-") {
      throw new NetlabError("usage", "standard input has no name", { hint: "give it one with --as NAME" });
    }
    return basename(path);
  });
}

async function openAll(files: readonly string[], names: readonly string[]): Promise<Source[]> {
  const sources: Source[] = [];
  try {
    for (const [index, path] of files.entries()) sources.push(await openSource(path, names[index]));
    return sources;
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}

/** What has no size can be read once only: not again where the receiver turns out to have the beginning of another file. */
function refuseToResume({ path, size }: Source): void {
  if (size !== null) return;
  const what = path === "-" ? "standard input" : path;
  throw new NetlabError("usage", `${what} cannot be resumed`, { hint: "it can be read only once: only a file can" });
}
