// The client of the file server: `list`, `stat NAME`, `get NAME…`, from the command line, a prompt, or a script.

import { format as formatBytes } from "@std/fmt/bytes";
import { formatHostPort } from "../../net/conn.ts";
import { kindOfAll, NetlabError } from "../../protocol/errors.ts";
import { count, hasUnsafe } from "../../protocol/text.ts";
import { completeLine, describeForms, findForm, splitWord } from "../commands.ts";
import type { ConnectContext } from "../exercise.ts";
import { leavingSignal } from "../leaving.ts";
import { getBare } from "./bare.ts";
import { Progress, Receipt } from "./progress.ts";
import { FORMS, parseEntry } from "./protocol.ts";
import { PartialFile, StandardOutput, type Target } from "./targets.ts";
import { type Errand, Visit } from "./visit.ts";

/** How many files are fetched at once. */
const AT_ONCE = 4;
/** A list is shown so many lines at a time, and of more names than some the rest is not completed: it may be as long as it likes. */
const SHOWN_AT_ONCE = 1000;
const MAX_NAMES = 10_000;
/** How a server refuses what it does not understand. */
const BAD_REQUEST = /^ERROR 400\b/i;

/** Does what the command line says, or what is typed. @throws {NetlabError} when something could not be had */
export async function connectFiles(context: ConnectContext): Promise<void> {
  const leaving = leavingSignal(context);
  try {
    await perform({ ...context, leaving });
  } catch (error) {
    leaving.throwIfAborted();
    throw error;
  }
  leaving.throwIfAborted();
}

async function perform(context: Errand): Promise<void> {
  const { args, console, leaving } = context;
  if (args.length > 0) return await run(context, args[0], args.slice(1));
  const names = new Set<string>();
  console.completeWith((line) => complete(line, names));
  console.note(`files at ${formatHostPort(context.host, context.port)}: ${FORMS.map(({ word }) => word).join(", ")}`);
  let failed = 0;
  for await (const line of console.lines("> ")) {
    if (line.trim() === "") continue;
    const [word, rest] = splitWord(line);
    try {
      if (!await obey(context, word, rest, names)) break;
    } catch (error) {
      if (!(error instanceof NetlabError) || leaving.aborted) throw error;
      failed++;
      console.print(error.withHint, { event: "error", text: error.message });
    }
  }
  if (failed > 0 && !console.interactive) throw new NetlabError("reply", `${failed} of the script's lines failed`);
}

/** As `completeLine`, but that names may have spaces. */
function complete(line: string, names: ReadonlySet<string>): string[] {
  const [, command, begun] = /^(\S+) (.*)$/s.exec(line) ?? [];
  if (command === undefined) return completeLine(FORMS, line);
  if (!findForm(FORMS, command)?.form.includes("<name")) return [];
  return [...names].filter((name) => name.startsWith(begun)).map((name) => `${command} ${name} `);
}

/** @returns false when that was the end */
async function obey(context: Errand, word: string, rest: string, names: Set<string>): Promise<boolean> {
  const form = findForm(FORMS, word);
  if (form === undefined) {
    throw new NetlabError("usage", `no such command: ${word} (${FORMS.map((one) => one.word).join(", ")})`);
  }
  if (form.word === "exit") return false;
  if (form.word === "help") { for (const row of describeForms(FORMS)) context.console.print(row); }
  else if (form.word === "list") { for (const name of await list(context)) if (!hasUnsafe(name)) names.add(name); }
  else if (rest === "") throw new NetlabError("usage", `${form.word} what? ${form.form}`);
  else await run(context, form.word, [rest.trim()]);
  return true;
}

async function run(context: Errand, word: string, names: readonly string[]): Promise<void> {
  if (word === "list") await list(context);
  else if (word === "stat") await stat(context, names[0]);
  else await getAll(context, names);
}

/** Shows what there is. @returns names of it */
async function list(context: Errand): Promise<string[]> {
  const { console } = context;
  await using visit = await Visit.open(context);
  const counted = await visit.ask("LIST");
  if (counted.type !== "count") throw visit.unexpected();
  const names: string[] = [];
  let entries: { size: number; name: string; human: string }[] = [];
  for (let left = counted.count; left > 0; left--) {
    const entry = parseEntry(await visit.line());
    if (entry === null) throw visit.unexpected();
    entries.push({ ...entry, human: formatBytes(entry.size) });
    if (names.length < MAX_NAMES) names.push(entry.name);
    if (left > 1 && entries.length < SHOWN_AT_ONCE) continue;
    const width = Math.max(...entries.map(({ human }) => human.length));
    for (const { size, name, human } of entries) {
      console.print(`${human.padStart(width)}  ${name}`, { event: "file", name, size });
    }
    entries = [];
    await console.drained?.();
  }
  if (counted.count === 0) console.note("there are no files");
  return names;
}

async function stat(context: Errand, name: string): Promise<void> {
  await using visit = await Visit.open(context);
  const reply = await visit.ask(`STAT ${name}`);
  if (reply.type !== "file") throw visit.unexpected();
  const { size, digest } = reply;
  context.console.print([`${name}: ${count(size, "byte")} (${formatBytes(size)})`, `  sha-256 ${digest}`], {
    ...{ event: "stat", name, size, sha256: digest },
  });
}

/** Of a file that is here already. @throws {NetlabError} when the server does not say */
async function askDigest(visit: Visit, name: string): Promise<string> {
  const reply = await visit.ask(`STAT ${name}`, true);
  if (reply.type === "file") return reply.digest;
  if (reply.type !== "error") throw visit.unexpected();
  const hint = BAD_REQUEST.test(reply.text) ? `${name} is here already: --overwrite gets it without asking` : undefined;
  throw new NetlabError("reply", `the server says: ${reply.text}`, { hint });
}

/** Fetches files, several at once. @throws {NetlabError} when one of them could not be had */
async function getAll(context: Errand, words: readonly string[]): Promise<void> {
  const { options, console, leaving } = context;
  const names = [...new Set(words.filter((word) => word !== "-"))];
  const out = words.includes("-") ? "-" : String(options.out ?? ".");
  if (names.length === 0) throw new NetlabError("usage", "get what?");
  if (out === "-" && options.json === true) {
    throw new NetlabError("usage", "--json and --out - both want standard output");
  }
  if (out === "-" && names.length > 1) throw new NetlabError("usage", "standard output takes one file");
  const progress = new Progress(console);
  const waiting = [...names];
  const failures: NetlabError[] = [];
  const worker = async () => {
    for (let name; (name = waiting.shift()) !== undefined;) {
      try {
        await get(context, name, out, progress);
      } catch (error) {
        if (leaving.aborted) return;
        if (!(error instanceof NetlabError)) throw error;
        failures.push(error);
        if (names.length > 1) {
          console.print(`${name}: ${error.withHint}`, { event: "failed", name, failure: error.message });
        }
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, worker));
  } finally {
    progress.stop();
  }
  leaving.throwIfAborted();
  if (failures.length === 0) return;
  if (names.length === 1) throw failures[0];
  throw new NetlabError(kindOfAll(failures), `${failures.length} of ${names.length} files could not be had`);
}

/** Fetches one file, or what is missing of it. */
async function get(context: Errand, name: string, out: string, progress: Progress): Promise<void> {
  const { console, leaving, options } = context;
  await using visit = await Visit.open(context);
  using target = out === "-" ? new StandardOutput(console) : new PartialFile(out, name, options.overwrite === true);
  try {
    await (context.wire === "raw" ? getBare : getInto)(target, visit, context, name, progress);
  } catch (error) {
    if (leaving.aborted && out !== "-") {
      const kept = `${formatBytes(target.size)} of ${name} are here; get it again, and it goes on from there`;
      console.note(`interrupted: ${target.size > 0 ? kept : `nothing of ${name} is kept`}`);
    }
    throw error;
  }
}

async function getInto(
  target: Target,
  visit: Visit,
  { console }: Errand,
  name: string,
  progress: Progress,
): Promise<void> {
  const receipt = new Receipt(console, target, name);
  // Who asks for content only to read its digest hangs up on a server in the midst of it.
  if (await target.isThere(() => askDigest(visit, name))) return receipt.present();
  let bytes = await fetch(visit, name, target, progress);
  if (!target.isRight() && bytes < target.size) {
    console.note(`${name}: what was here is the beginning of another file; it is fetched anew`);
    target.restart();
    bytes = await fetch(visit, name, target, progress);
  }
  if (!target.isRight()) {
    target.restart();
    throw new NetlabError("protocol", `${name}: the digest is wrong: what came is not what was sent`);
  }
  target.complete();
  receipt.got(bytes, "digest right");
}

/** Fetches what `target` does not have. @returns how many bytes came */
async function fetch(visit: Visit, name: string, target: Target, progress: Progress): Promise<number> {
  let offset = target.size;
  let reply = await visit.ask(`GET ${name} ${offset}`, offset > 0);
  if (reply.type === "error") {
    if (!BAD_REQUEST.test(reply.text)) throw new NetlabError("reply", `the server says: ${reply.text}`);
    // What is here is longer than the file there: it cannot be its beginning.
    target.restart();
    offset = 0;
    reply = await visit.ask(`GET ${name} 0`);
  }
  if (reply.type !== "file") throw visit.unexpected();
  target.expect(reply.digest);
  const file = progress.begin(name, reply.size);
  await visit.body(reply.size, async (bytes) => {
    await target.write(bytes);
    file.add(bytes.length);
  });
  file.end();
  return reply.size;
}
