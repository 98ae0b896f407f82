// The receiver of the seed's own form. It is told no name, so each file is called after where it comes from.

import type { Channel } from "../../net/channel.ts";
import { systemClock } from "../../net/clock.ts";
import { drive, type Driven } from "../../net/drive.ts";
import { Server, type Session } from "../../net/server.ts";
import type { RunningServer, ServeContext } from "../exercise.ts";
import { describeSystemError } from "../../net/errors.ts";
import { exists } from "../own_file.ts";
import { PartFile } from "./files.ts";
import { bytesCodec, BytesFramer } from "./framing.ts";
import { PART } from "./protocol.ts";
import { formatReceived, type ReceivedReport } from "./report.ts";
import { SeedReceiverMachine } from "./seed_machine.ts";

/** A sender over UDP that is silent for so long has sent its end, which was lost, in ms. */
const END_LOST_MS = 5000;
/** How many addresses at once may send datagrams. Of more, one that has sent but one datagram makes room. */
const MAX_SENDERS = 256;

/**
 * Starts a receiver.
 *
 * @param onEnd told how each file ended: why it is not there, or null
 */
export function serveSeed(
  context: ServeContext,
  dir: string,
  onEnd: (failure: string | null) => void,
): RunningServer {
  const { limits, trace, transport } = context;
  const udp = transport === "udp";
  const senders = new Set<SeedReception>();
  const makeRoom = () => {
    if (senders.size >= MAX_SENDERS) {
      senders.values().find((sender) => sender.isStranger)?.giveUp("it made room for another");
    }
    return senders.size < MAX_SENDERS;
  };
  return new Server<Uint8Array, Uint8Array>({
    listen: context,
    limits: udp ? { ...limits, idleMs: END_LOST_MS, firstByteMs: END_LOST_MS, maxClients: 2 * MAX_SENDERS } : limits,
    trace,
    codec: bytesCodec,
    makeFramer: () => new BytesFramer(),
    // There are no words in this form: whoever is refused is hung up on.
    farewells: { refuse: () => new Uint8Array(0), bad: () => new Uint8Array(0), goodbye: false },
    session(channel) {
      if (udp && !makeRoom()) {
        channel.abort("too many are sending");
        return NOBODY;
      }
      const sender: SeedReception = new SeedReception(channel, context, dir, (failure) => {
        senders.delete(sender);
        if (!sender.isStranger) onEnd(failure);
      });
      senders.add(sender);
      return sender;
    },
  });
}

const NOBODY: Session<Uint8Array> = { onMessage() {}, onEnd() {} };

/** One file. Over UDP anything is the beginning of one: nothing is on the disk before something follows. */
class SeedReception implements Session<Uint8Array> {
  readonly #channel: Channel<Uint8Array>;
  readonly #context: ServeContext;
  readonly #dir: string;
  readonly #maxSize: number;
  readonly #udp: boolean;
  readonly #driven: Driven<Uint8Array, never>;
  readonly #begunAt = performance.now();
  readonly #onEnd: (failure: string | null) => void;
  #name = "";
  #part: PartFile | null = null;
  /** Over UDP the first datagram, until there is a file. */
  #first: Uint8Array | null = null;
  #bytes = 0;
  #chunks = 0;
  #again = 0;
  /** The empty datagram has come. */
  #ended = false;
  #over = false;
  #failure: string | null = null;

  constructor(
    channel: Channel<Uint8Array>,
    context: ServeContext,
    dir: string,
    onEnd: (failure: string | null) => void,
  ) {
    this.#onEnd = onEnd;
    this.#dir = dir;
    this.#channel = channel;
    this.#context = context;
    this.#maxSize = Number(context.options["max-size"] ?? 2 ** 32);
    this.#udp = context.transport === "udp";
    this.#driven = drive(new SeedReceiverMachine(), {
      clock: systemClock,
      send: (message) => void channel.send(message),
      onEvent: (event) => event.type === "data" ? this.#keep(event.bytes) : void this.#again++,
      trace: context.trace,
      id: channel.id,
    });
    this.#name = this.#freeName();
    if (!this.#udp) this.#try(() => void this.#open());
  }

  /** Whether it has sent one datagram, and perhaps nobody is there. */
  get isStranger(): boolean {
    return this.#udp && this.#chunks <= 1 && !this.#ended;
  }

  /** Takes nothing more from it. */
  giveUp(why: string): void {
    this.#failure ??= why;
    this.#finish();
    this.#channel.abort(why);
  }

  onMessage(bytes: Uint8Array): void {
    if (!this.#udp && this.#failure === null) return this.#driven.input({ type: "message", message: bytes });
    if (!this.#udp || this.#ended) return;
    if (bytes.length > 0) return this.#keep(bytes);
    this.#ended = true;
    void this.#channel.because("end of file").close();
  }

  onEnd(): void {
    this.#driven.input({ type: "end" });
    this.#finish();
  }

  /** Does what may fail for the disk's sake. */
  #try(write: () => void): void {
    if (this.#failure !== null) return;
    try {
      write();
    } catch (error) {
      this.#failure = `cannot write ${this.#name}: ${describeSystemError(error)}`;
      // Over UDP the rest of it still comes, and would be taken for another file.
      if (this.#udp) this.#finish();
      else this.#channel.abort(this.#failure);
    }
  }

  #freeName(): string {
    const name = `from-${this.#channel.remote.replace(/[[\]]/g, "").replace(/[:%]/g, "-")}`;
    const taken = (name: string) => exists(`${this.#dir}/${name}`) || exists(`${this.#dir}/${name}${PART}`);
    let free = name;
    for (let i = 2; taken(free); i++) free = `${name}-${i}`;
    return free;
  }

  #open(): PartFile {
    this.#part ??= PartFile.create(this.#dir, this.#name);
    if (this.#first !== null) this.#part.write(0, this.#first);
    this.#first = null;
    return this.#part;
  }

  #keep(data: Uint8Array): void {
    this.#try(() => {
      if (this.#bytes + data.length > this.#maxSize) throw new Error(`more than ${this.#maxSize} bytes`);
      if (this.#udp && this.#chunks === 0) this.#first = data.slice();
      else this.#open().write(this.#bytes, data);
      this.#bytes += data.length;
      this.#chunks++;
    });
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    const reason = this.#channel.reason ?? "end of stream";
    if (this.#failure === null && !(this.#udp ? this.#ended : reason === "end of stream")) {
      this.#failure = this.#udp ? "its end never came" : reason;
    }
    try {
      if (this.#failure === null && !this.#open().complete(false)) this.#failure = "there is such a file already";
    } catch (error) {
      this.#failure ??= describeSystemError(error);
    }
    this.#part?.leave();
    const report: ReceivedReport = {
      name: this.#name,
      from: this.#channel.remote,
      scheme: "seed",
      bytes: this.#bytes,
      chunks: this.#chunks,
      duplicates: this.#again,
      seconds: (performance.now() - this.#begunAt) / 1000,
      failure: this.#failure,
    };
    const { console } = this.#context;
    console.print(formatReceived(report), { event: this.#failure === null ? "received" : "failed", ...report });
    console.note(this.#doubt());
    this.#onEnd(this.#failure);
  }

  /** What this form cannot promise. */
  #doubt(): string {
    if (this.#udp) return "  what was lost, came twice or in another order on the way, nobody can tell";
    if (this.#again === 0) return "  nothing was checked: compare the files to know";
    return `  ${this.#again} chunks were as the one before, after a long silence: taken for sent again, and dropped`;
  }
}
