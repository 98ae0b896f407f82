// The concurrent file server: requests are lines, and content follows its size.
//
//     LIST                 → OK 2
//                            5 hello.txt
//                            1048576 big.bin
//     STAT hello.txt       → OK 5 2cf24dba…
//     GET hello.txt        → OK 5 2cf24dba…   and 5 bytes
//     GET hello.txt 3      → OK 2 2cf24dba…   and the 2 bytes from byte 3 on; the digest is of the whole file
//     hello.txt            → its bytes, and the end of the connection (as the course's first clients ask)

import { escapeText } from "../../protocol/text.ts";
import type { CommandForm } from "../commands.ts";
import { errorReply } from "../text.ts";

/** A request, understood. */
export type Request =
  | { readonly type: "list" }
  | { readonly type: "stat"; readonly name: string }
  /** `offset` is what the last word may mean: if there is no such file, it belongs to the name. */
  | { readonly type: "get"; readonly name: string; readonly offset: number | null; readonly whole: string }
  | { readonly type: "bare"; readonly name: string };

/** The longest request, in bytes: a name takes up to 255. */
export const MAX_REQUEST = 1024;

export function parseRequest(line: string): Request {
  if (line === "LIST") return { type: "list" };
  if (line.startsWith("STAT ")) return { type: "stat", name: line.slice(5) };
  if (!line.startsWith("GET ")) return { type: "bare", name: line };
  const whole = line.slice(4);
  const [, name, digits] = /^(.+) (\d{1,15})$/.exec(whole) ?? [];
  if (name === undefined) return { type: "get", name: whole, offset: null, whole };
  return { type: "get", name, offset: Number(digits), whole };
}

/** What a reply begins with. */
export type Reply =
  /** So many lines follow. */
  | { readonly type: "count"; readonly count: number }
  /** So many bytes follow a GET; the digest is of the whole file, in hexadecimal. */
  | { readonly type: "file"; readonly size: number; readonly digest: string }
  | { readonly type: "error"; readonly text: string };

/** Null for what is no reply. */
export function parseReply(line: string): Reply | null {
  const file = /^OK (\d{1,16}) ([0-9a-f]{64})$/i.exec(line);
  if (file) return { type: "file", size: Number(file[1]), digest: file[2].toLowerCase() };
  const count = /^OK (\d{1,9})$/.exec(line);
  if (count) return { type: "count", count: Number(count[1]) };
  return /^error\b/i.test(line) ? { type: "error", text: line } : null;
}

/** A line of a list, taken apart; null for what is none. */
export function parseEntry(line: string): { readonly size: number; readonly name: string } | null {
  const [, size, name] = /^(\d{1,16}) (.+)$/.exec(line) ?? [];
  return size === undefined ? null : { size: Number(size), name };
}

export const reply = {
  count: (count: number) => `OK ${count}`,
  entry: (size: number, name: string) => `${size} ${name}`,
  file: (size: number, digest: string) => `OK ${size} ${digest}`,
  error: (code: number, why: string) => errorReply(`${code} ${why}`),
  /** What a client that only said a name is told. */
  bareError: (code: number, why: string) => code === 404 ? "Error: File not found" : `Error: ${escapeText(why)}`,
};

/** Whether `words` are what the client does: `list`, `stat NAME`, `get NAME…`. */
export function isCommand(words: readonly string[]): boolean {
  const [word, ...names] = words;
  if (word === "list") return names.length === 0;
  if (word === "stat") return names.length === 1;
  return word === "get" && names.length > 0;
}

/** What is typed at the client. */
export const FORMS: readonly CommandForm[] = [
  { word: "list", also: ["ls", "dir"], form: "list", meaning: "show the files there" },
  { word: "stat", form: "stat <name>", meaning: "show a file's size and digest" },
  { word: "get", form: "get <name>", meaning: "fetch a file, or what is missing of it" },
  { word: "help", form: "help", meaning: "show these commands" },
  { word: "exit", also: ["quit"], form: "exit", meaning: "leave" },
];

/** What the dialogue and the checks expect to find: a file of one line. */
export const SAMPLES = { "hello.txt": "hello\n" };
export const HELLO_DIGEST = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
