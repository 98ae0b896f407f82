// A folder of submissions: each graded in a copy of its own, several at once, and none again that has not changed.

import { createHash } from "node:crypto";
import { SEPARATOR } from "../exercises/folder.ts";
import { onInterrupt, removeFolder, stopIfInterrupted } from "./leftovers.ts";

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

/**
 * Runs `use` with a copy of a submission, which is gone afterwards: what a run writes harms neither it nor another.
 *
 * @param use also told which links the copy lacks
 */
export async function withCopy<T>(
  { path }: Submission,
  use: (dir: string, missing: readonly string[]) => Promise<T>,
): Promise<T> {
  stopIfInterrupted(); // what is made now would be left behind
  const copy = Deno.makeTempDirSync({ prefix: "netlab-submission-" });
  const forget = onInterrupt(() => removeFolder(copy));
  try {
    return await use(copy, await copyTree(path, copy, await Deno.realPath(path)));
  } finally {
    await removeFolder(copy);
    forget();
  }
}

/**
 * Copies files and folders, and links that stay inside: others could lead anywhere.
 *
 * @param root the submission's own path, behind all links
 * @param at where in the submission, with a slash behind it
 * @returns the links that are left out
 */
async function copyTree(from: string, to: string, root: string, at = ""): Promise<string[]> {
  const missing: string[] = [];
  for await (const { name, isDirectory, isFile, isSymlink } of Deno.readDir(from)) {
    if (isFile) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
    if (isSymlink) {
      const target = await Deno.readLink(`${from}/${name}`);
      const stays = staysInside(target, at.split("/").length - 1) && await leadsInto(root, `${from}/${name}`);
      if (stays) await Deno.symlink(target, `${to}/${name}`);
      else missing.push(at + name);
    }
    if (!isDirectory) continue;
    await Deno.mkdir(`${to}/${name}`);
    missing.push(...await copyTree(`${from}/${name}`, `${to}/${name}`, root, `${at}${name}/`));
  }
  return missing;
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

/** What a submission's result depends on, as a digest: its files, and what it is graded with. */
export async function fingerprint({ path }: Submission, settings: unknown): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(settings));
  for (const file of listFiles(path).sort()) {
    const { isSymlink, mode, size } = await Deno.lstat(`${path}/${file}`); // the mode: it may have become a program that can be run
    hash.update(`\0${file}\0${isSymlink ? `-> ${await Deno.readLink(`${path}/${file}`)}` : `${mode} ${size}`}\0`);
    if (isSymlink) continue;
    using content = await Deno.open(`${path}/${file}`);
    const block = new Uint8Array(BLOCK_BYTES);
    for (let count; (count = await content.read(block)) !== null;) hash.update(block.subarray(0, count));
  }
  return hash.digest("hex");
}

/** The files and links below a folder, by their paths from there. */
function listFiles(dir: string): string[] {
  return [...Deno.readDirSync(dir)].flatMap(({ name, isDirectory, isFile, isSymlink }) =>
    isDirectory ? listFiles(`${dir}/${name}`).map((file) => `${name}/${file}`) : isFile || isSymlink ? [name] : []
  );
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

/** Calls `work` for each item, `jobs` at once; results in the order of the items. The first error ends it. */
export async function inParallel<T, R>(items: readonly T[], jobs: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const waiting = items.entries();
  const worker = async () => {
    for (const [i, item] of waiting) {
      stopIfInterrupted();
      results[i] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return results;
}
