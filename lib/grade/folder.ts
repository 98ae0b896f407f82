// A folder of submissions: each graded in a copy of its own, several at once, and none again that has not changed.

import { createHash } from "node:crypto";
import { SEPARATOR } from "../exercises/folder.ts";
import { describeSystemError } from "../net/errors.ts";
import { NetlabError } from "../protocol/errors.ts";
import { makeFolder, onInterrupt, stopIfInterrupted, takeAway } from "./leftovers.ts";

const BLOCK_BYTES = 262_144;

/** One submission: a folder in the folder. */
export interface Submission {
  readonly name: string;
  readonly path: string;
}

/** The submissions in `dir`, in the order of their names. Hidden folders are none. @throws what reading it throws */
export function listSubmissions(dir: string): Submission[] {
  return [...Deno.readDirSync(dir)]
    .filter(({ isDirectory, name }) => isDirectory && !name.startsWith("."))
    .map(({ name }) => ({ name, path: `${dir}/${name}` }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** What else is in `dir`, for people: a submission that came as an archive or a link would be missing for no reason to be seen. */
export function listOthers(dir: string): string[] {
  return [...Deno.readDirSync(dir)]
    .filter(({ isDirectory, name }) => !isDirectory && !/^\.|^netlab-(grades|matrix)\.(csv|html)$/.test(name))
    .map(({ isSymlink, name }) => isSymlink ? `${name} (a link)` : name)
    .sort();
}

/** What a copy lacks, by paths in the submission. */
export interface Missing {
  /** Links that lead out of it. */
  readonly links: string[];
  /** What has a name that is not UTF-8: the system tells no other, and by that one nothing is found. */
  readonly names: string[];
}

/**
 * Runs `use` with a copy of a submission, which is gone afterwards: what a run writes harms neither it nor another.
 *
 * @throws {NetlabError} of kind `harness` where there can be no copy
 */
export async function withCopy<T>(
  { path }: Submission,
  use: (dir: string, missing: Missing) => Promise<T>,
): Promise<T> {
  await requireFound(path);
  const copy = makeFolder("netlab-submission-");
  const forget = onInterrupt(() => takeAway(copy));
  try {
    const missing: Missing = { links: [], names: [] };
    await copyTree(path, copy, await Deno.realPath(path), missing);
    return await use(copy, missing);
  } finally {
    await takeAway(copy);
    forget();
  }
}

/**
 * Copies files and folders, and links that stay inside: others could lead anywhere.
 *
 * @param root the submission's own path, behind all links
 * @param missing gets what is left out
 * @param at where in the submission, with a slash behind it
 */
async function copyTree(from: string, to: string, root: string, missing: Missing, at = ""): Promise<void> {
  for (const { name, isDirectory, isFile, isSymlink } of await list(from, at)) {
    if (await isLost(`${from}/${name}`)) {
      missing.names.push(at + name);
      continue;
    }
    if (isFile) await attempt(`copy ${at}${name}`, () => Deno.copyFile(`${from}/${name}`, `${to}/${name}`));
    if (isSymlink) {
      const target = await Deno.readLink(`${from}/${name}`);
      const stays = staysInside(target, at.split("/").length - 1) && await leadsInto(root, `${from}/${name}`);
      if (stays) await Deno.symlink(target, `${to}/${name}`);
      else missing.links.push(at + name);
    }
    if (!isDirectory) continue;
    await Deno.mkdir(`${to}/${name}`);
    await copyTree(`${from}/${name}`, `${to}/${name}`, root, missing, `${at}${name}/`);
  }
}

/** Whether a name was listed as another than it is, as it is not UTF-8, so that nothing is found by it. */
async function isLost(path: string): Promise<boolean> {
  return path.includes("\uFFFD") && await Deno.lstat(path).then(() => false, () => true);
}

/** @throws {NetlabError} of kind `harness` when a submission has a name that is not UTF-8 */
async function requireFound(path: string): Promise<void> {
  if (!await isLost(path)) return;
  throw new NetlabError("harness", "its name is not UTF-8", { hint: "give the folder another" });
}

/** Whether what a link leads to lies in the submission, at whatever step of the way. */
function staysInside(target: string, depth: number): boolean {
  if (/^[/\\]|^[a-z]:/i.test(target)) return false;
  let at = depth;
  for (const part of target.split(/[/\\]/)) {
    if (part === "..") at--;
    else if (part !== "." && part !== "") at++;
    if (at < 0) return false;
  }
  return true;
}

/** Whether a link does not leave a folder by way of others: behind `x`, which leads to `.`, `x/..` is not where it looks to be. */
async function leadsInto(root: string, link: string): Promise<boolean> {
  const path = await Deno.realPath(link).catch(() => null);
  return path === null || `${path}${SEPARATOR}`.startsWith(`${root}${SEPARATOR}`);
}

/** What a submission's result depends on, as a digest: its files and folders, and what it is graded with. */
export async function fingerprint({ path }: Submission, settings: unknown): Promise<string> {
  await requireFound(path);
  const hash = createHash("sha256").update(JSON.stringify(settings));
  for (const name of (await listTree(path)).sort()) {
    const at = `${path}/${name}`;
    hash.update(`\0${name}\0`);
    if (name.endsWith("/") || await isLost(at)) continue;
    const { isSymlink, mode, size } = await Deno.lstat(at); // the mode: it may have become a program that can be run
    hash.update(`${isSymlink ? `-> ${await Deno.readLink(at)}` : `${mode} ${size}`}\0`);
    if (isSymlink) continue;
    using content = await attempt(`read ${name}`, () => Deno.open(at));
    const block = new Uint8Array(BLOCK_BYTES);
    for (let count; (count = await content.read(block)) !== null;) hash.update(block.subarray(0, count));
  }
  return hash.digest("hex");
}

/** @param what is tried, and with which file: who has thirty submissions has to hear that @throws {NetlabError} */
async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new NetlabError("harness", `cannot ${what}: ${describeSystemError(cause)}`, { cause });
  }
}

const list = (path: string, at: string) => attempt(`read ${at || "it"}`, () => Array.fromAsync(Deno.readDir(path)));

/** The files, links and folders below a folder, by their paths from there; behind that of a folder is a slash. */
async function listTree(dir: string, at = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const { name, isDirectory, isFile, isSymlink } of await list(`${dir}/${at}`, at)) {
    if (isFile || isSymlink) paths.push(at + name);
    if (!isDirectory) continue;
    paths.push(`${at}${name}/`);
    if (!await isLost(`${dir}/${at}${name}`)) paths.push(...await listTree(dir, `${at}${name}/`));
  }
  return paths;
}

/** Results of earlier runs, a file each, by fingerprint. */
export class Cache<T> {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async get(key: string): Promise<T | null> {
    try {
      return JSON.parse(await Deno.readTextFile(`${this.#dir}/${key}.json`)) as T;
    } catch {
      return null; // not there, or not whole: it is made again
    }
  }

  async set(key: string, value: T): Promise<void> {
    await Deno.mkdir(this.#dir, { recursive: true });
    await Deno.writeTextFile(`${this.#dir}/${key}.json`, JSON.stringify(value));
  }
}

/**
 * Calls `work` for each item, `jobs` at once; results in the order of the items. Behind the first error none is begun, and it is
 * thrown when those are done that had been.
 */
export async function inParallel<T, R>(items: readonly T[], jobs: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const waiting = [...items.entries()];
  const worker = async () => {
    for (let next; (next = waiting.shift()) !== undefined;) {
      const [i, item] = next;
      try {
        stopIfInterrupted();
        results[i] = await work(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(jobs, items.length) }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results;
}
