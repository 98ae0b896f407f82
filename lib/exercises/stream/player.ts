// Programs that play what is written to them. They are started with the permission of deno.json, which names them.

import { outlasts } from "../../net/clock.ts";
import { NetlabError } from "../../protocol/errors.ts";
import { decodeLossy } from "../../protocol/text.ts";
import { type PlayerName, PLAYERS } from "./defaults.ts";

/** How each is asked whether it is there, and told to play its standard input once. */
const VERSION: Readonly<Record<PlayerName, string>> = { ffplay: "-version", mpv: "--version", vlc: "--version" };
const ARGUMENTS: Readonly<Record<PlayerName, (audio: boolean) => string[]>> = {
  // Without pictures there is nothing to show, and perhaps no screen to show it on.
  ffplay: (audio) => ["-loglevel", "error", "-nostats", "-autoexit", ...(audio ? ["-nodisp"] : []), "-i", "pipe:0"],
  // What it complains of is wanted, and nothing else it says; of the keys pressed here it knows nothing.
  mpv: (audio) => [
    ...["--input-terminal=no", "--msg-level=all=error", "--keep-open=no"],
    ...(audio ? ["--no-video"] : []),
    "-",
  ],
  // Any other interface that finds no screen takes what it is to play for commands.
  vlc: () => ["--intf", "dummy", "--play-and-exit", "-"],
};

/** What two of them say, and end well, when they cannot make anything of what they get. */
const REFUSAL = /^pipe:0: | demux error: Could not open /;

/** What ffplay says, and ends well, where it has no device for sound; why stands in the line before. */
const NO_DEVICE = /^Failed to open file 'pipe:0' or configure filtergraph$/;

/** What ffplay says, and waits for ever, where an index at the end is of content that it has passed over. */
const PASSED_OVER = /: partial file$/m;

/** What a player has not taken yet may be so much, in bytes; of more, it misses the rest. */
const MAX_WAITING = 64 * 1_048_576;
/** How much of what it complains of is kept, in characters. */
const MAX_COMPLAINT = 2000;
/** How long a player may take to end that was told to, in ms. */
const END_MS = 2000;

/** The player that is meant, if it is installed. @throws {NetlabError} of kind `usage` when it is not */
export async function findPlayer(choice: string): Promise<PlayerName> {
  const wanted = PLAYERS.filter((name) => choice === "auto" || choice === name);
  let why = choice === "auto" ? "no player found" : `${choice} is not installed`;
  for (const name of wanted) {
    const complaint = await tryOut(name);
    if (complaint === null) return name;
    if (complaint !== "") why = `${name} does not run: ${complaint}`;
  }
  throw new NetlabError("usage", why, {
    hint: `install one (ffplay comes with ffmpeg: ${installer()}), or keep the stream with --out FILE`,
  });
}

function installer(): string {
  if (Deno.build.os === "darwin") return "brew install ffmpeg";
  return Deno.build.os === "windows" ? "winget install ffmpeg" : "apt install ffmpeg";
}

/** Null when it is there and runs; else what it says to that, nothing where it is not there. */
async function tryOut(name: PlayerName): Promise<string | null> {
  try {
    const command = new Deno.Command(name, { args: [VERSION[name]], stdin: "null", stdout: "null", stderr: "piped" });
    const { success, code, stderr } = await command.output();
    return success ? null : plain(decodeLossy(stderr).trim().split("\n")[0]) || `it ended with status ${code}`;
  } catch {
    return ""; // not there, or not allowed
  }
}

/** A complaint without what means nothing to people: vlc puts an address before each. */
function plain(complaint: string): string {
  return complaint.replace(/^\[[0-9a-f]{16}\] /, "").replace(/\.$/, "");
}

/** A player that runs. */
export class Player {
  readonly name: PlayerName;
  /** Settles when it has ended: with what it complained of, or null when it did not. */
  readonly ended: Promise<string | null>;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #waiting = 0;
  /** Whether it gets an MP4 whose index is at its end; null before its first bytes. */
  #indexIsLast: boolean | null = null;
  /** The last of what it said. */
  #said = "";
  /** We have ended it: how it ends is no news. */
  #stopped = false;

  /** @param audio whether there are no pictures */
  constructor(name: PlayerName, audio: boolean) {
    this.name = name;
    const command = new Deno.Command(name, {
      args: ARGUMENTS[name](audio),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    this.#child = command.spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {}); // it may hang up
    // Ctrl-C ends us at once: what is being heard has to end, too.
    addEventListener("unload", this.#kill);
    this.ended = this.#watch();
  }

  write(bytes: Uint8Array): void {
    this.#indexIsLast ??= indexIsLast(bytes);
    if (this.#waiting + bytes.length > MAX_WAITING) return;
    this.#waiting += bytes.length;
    this.#input.write(bytes).then(() => void (this.#waiting -= bytes.length), () => {});
  }

  /** Nothing more comes: it plays what it has. */
  async finish(): Promise<string | null> {
    await this.#input.close().catch(() => {});
    return await this.ended;
  }

  /** Ends it now. */
  async stop(): Promise<void> {
    this.#stopped = true;
    void this.#input.abort().catch(() => {});
    this.#kill("SIGTERM");
    if (await outlasts(this.ended, END_MS)) this.#kill("SIGKILL");
    await this.ended;
  }

  readonly #kill = (how: unknown) => {
    try {
      this.#child.kill(how === "SIGKILL" ? "SIGKILL" : "SIGTERM");
    } catch { /* it has ended */ }
  };

  async #watch(): Promise<string | null> {
    const listening = [this.#child.stderr, this.#child.stdout].map((pipe) => this.#listen(pipe));
    const { success, code, signal } = await this.#child.status;
    removeEventListener("unload", this.#kill);
    await Promise.all(listening);
    const lines = this.#said.trim().split("\n");
    if (this.#stopped) return null;
    if (this.#waitsForEver) {
      return "the index of this MP4 is at its end; ffmpeg -i OLD -c copy -movflags +faststart NEW puts it in front";
    }
    const refused = lines.find((line, i) =>
      REFUSAL.test(line) || (i + 1 < lines.length && NO_DEVICE.test(lines[i + 1]))
    );
    if (refused !== undefined) return plain(refused);
    if (success || signal !== null) return null;
    return plain(lines.at(-1)!) || `it ended with status ${code}`;
  }

  async #listen(pipe: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of pipe) {
      this.#said = (this.#said + decodeLossy(chunk)).slice(-MAX_COMPLAINT);
      if (this.#waitsForEver) this.#kill("SIGTERM");
    }
  }

  get #waitsForEver(): boolean {
    return this.#indexIsLast === true && PASSED_OVER.test(this.#said);
  }
}

/** Whether a file that begins like this is an MP4 with its content (`mdat`) before its index (`moov`). */
function indexIsLast(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 8 <= bytes.length; at += Math.max(8, view.getUint32(at))) {
    const type = decodeLossy(bytes.subarray(at + 4, at + 8));
    if (at === 0 && type !== "ftyp") return false;
    if (type === "mdat" || type === "moov") return type === "mdat";
  }
  return false;
}
