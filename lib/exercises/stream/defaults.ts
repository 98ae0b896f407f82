// What the table of options and `explain` need of client and server, which are loaded only when they run.

/** How long a datagram is held back for those before it, unless told otherwise, in ms. */
export const BUFFER_MS = 300;
/** How long the server may be silent, unless told otherwise, in ms: it answers each report. */
export const SILENT_MS = 8000;
/** Without a report for so long, unless told otherwise, a client is gone, in ms. */
export const IDLE_MS = 5000;
/** How many clients at once, unless told otherwise. */
export const MAX_CLIENTS = 256;
/** In the seed's form: there nobody can be seen to have left. */
export const MAX_SEED_STREAMS = 32;

/** What can play; the first that is there is taken. */
export const PLAYERS = ["ffplay", "mpv", "vlc"] as const;
export type PlayerName = typeof PLAYERS[number];

/** What may be typed or piped in, and which keys do the same on a terminal. */
export const CONTROL_LINES = "pause, resume, seek SECONDS, quit";
export const CONTROL_KEYS = "space pauses, ← → seek by 10 s, ↑ ↓ by a minute, q quits";

/** How a stream of the seed's form may end. */
export const SEED_ENDS = ["EOF", "END"] as const;

/** Whether `words` are what the client takes behind the address: one file, which is not an address with a port, or of a page. */
export function isOneFile(words: readonly string[]): boolean {
  return words.length === 1 && !/:\d+$|:\/\//.test(words[0]);
}
