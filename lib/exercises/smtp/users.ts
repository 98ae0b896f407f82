// Who may log in. A file of users has a line each, with a salted hash in place of the password:
//
//     name:scrypt:16384:8:1:salt:hash        N, r and p of scrypt (RFC 7914); salt and hash in base64
//
// What is said of a wrong password never tells whether there is such a name, and takes as long either way.

import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { NetlabError } from "../../protocol/errors.ts";
import type { Console } from "../exercise.ts";
import { readText } from "./named_files.ts";

/** What a new hash costs: some 20 ms and 16 MiB. */
const COST = { N: 16_384, r: 8, p: 1 };
const HASH_BYTES = 32;
/** What a hash in a file may cost: memory in bytes (RFC 7914 section 2), and how long its parts are at least. */
const MAX_MEMORY = 268_435_456;
const MIN_HASH_BYTES = 16;
const MAKES_LINES = "netlab smtp passwd NAME makes such a line";
/** How many hashes are computed at once: strangers decide how often they ask. */
const MAX_AT_ONCE = 2;

/** A password, salted and hashed. */
interface Hashed {
  readonly cost: { readonly N: number; readonly r: number; readonly p: number };
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** The names and passwords that a server knows. */
export class Users {
  readonly #users: ReadonlyMap<string, Hashed>;
  /** What is compared when there is no such name. */
  readonly #nobody: Hashed = { cost: COST, salt: randomBytes(16), hash: randomBytes(HASH_BYTES) };
  #running = 0;
  /** Who waits, by where they come from, in the order of their turns: many logins from one address delay no other. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(users: ReadonlyMap<string, Hashed>) {
    this.#users = users;
  }

  /**
   * From `--user`, a line for each, and `--users`; null when neither is given.
   *
   * @throws {NetlabError} of kind `usage`, in which no password stands
   */
  static async load(user: string | undefined, file: string | undefined): Promise<Users | null> {
    if (user === undefined && file === undefined) return null;
    const users = file === undefined ? new Map<string, Hashed>() : readUsers(file);
    for (const one of user?.split("\n") ?? []) {
      const colon = one.indexOf(":");
      // No password is empty (RFC 4616 section 2).
      if (colon < 1 || colon === one.length - 1) throw new NetlabError("usage", "--user is name:password");
      users.set(one.slice(0, colon), await hash(one.slice(colon + 1)));
    }
    return new Users(users);
  }

  /**
   * Whether that is the password of that name.
   *
   * @param from the client's address, without its port
   * @param isWanted whether the client may still be answered when its turn comes: otherwise nothing is computed
   */
  async check(name: string, password: string, from: string, isWanted: () => boolean): Promise<boolean> {
    const known = this.#users.get(name);
    const { cost, salt, hash } = known ?? this.#nobody;
    if (this.#running < MAX_AT_ONCE) this.#running++;
    else await this.#turn(from);
    try {
      if (!isWanted()) return false;
      return timingSafeEqual(await derive(password, salt, cost, hash.length), hash) && known !== undefined;
    } finally {
      this.#next();
    }
  }

  #turn(from: string): Promise<void> {
    return new Promise((resolve) => {
      const queue = this.#waiting.get(from);
      if (queue === undefined) this.#waiting.set(from, [resolve]);
      else queue.push(resolve);
    });
  }

  /** Hands the place over to the next address, which goes behind the others if it has more. */
  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) return void this.#running--;
    const [from, queue] = first;
    this.#waiting.delete(from);
    queue.shift()!();
    if (queue.length > 0) this.#waiting.set(from, queue);
  }
}

/** `netlab smtp passwd NAME`: asks for a password, and prints the line. @throws {NetlabError} of kind `usage` */
export async function makeUserLine(name: string, console: Console): Promise<void> {
  if (!/^(?!#)[^\p{Cc}:]+$/u.test(name)) {
    throw new NetlabError("usage", `${JSON.stringify(name)} is no name`, {
      hint: "it has no colon and no control characters, and does not begin with #",
    });
  }
  const password = await console.secret(`password for ${name}: `, "the same again: ");
  if (!password) throw new NetlabError("usage", "there is no password");
  console.print(await userLine(name, password));
}

/** A line for a file of users. */
export async function userLine(name: string, password: string): Promise<string> {
  const { cost: { N, r, p }, salt, hash: hashed } = await hash(password);
  return [name, "scrypt", N, r, p, salt.toBase64(), hashed.toBase64()].join(":");
}

async function hash(password: string): Promise<Hashed> {
  const salt = randomBytes(16);
  return { cost: COST, salt, hash: await derive(password, salt, COST, HASH_BYTES) };
}

function derive(password: string, salt: Uint8Array, cost: Hashed["cost"], bytes: number): Promise<Uint8Array> {
  const options = { ...cost, maxmem: 2 * memoryOf(cost) };
  return new Promise((resolve, reject) =>
    scrypt(password.normalize("NFC"), salt, bytes, options, (error, key) => error ? reject(error) : resolve(key))
  );
}

/** What scrypt takes for a hash, in bytes (RFC 7914 section 2). */
const memoryOf = ({ N, r, p }: Hashed["cost"]) => 128 * r * (N + p + 2);

/** Why nobody could log in with this hash; null where that is possible. */
function findProblem({ cost, hash }: Hashed): string | null {
  const { N, r, p } = cost;
  if (N < 2 || !Number.isInteger(Math.log2(N))) return `N is a power of two, and ${N} is none`;
  if (r < 1 || p < 1) return "r and p are at least 1";
  if (memoryOf(cost) > MAX_MEMORY) return `${N}:${r}:${p} takes more than ${MAX_MEMORY / 1_048_576} MiB for a login`;
  if (hash.length < MIN_HASH_BYTES) return `the hash has ${hash.length} bytes, and ${MIN_HASH_BYTES} are the least`;
  return null;
}

function readUsers(file: string): Map<string, Hashed> {
  const users = new Map<string, Hashed>();
  for (const [index, line] of readText(file).split(/\r?\n/).entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const where = `${file}:${index + 1}`;
    const user = readUser(line);
    if (user === null) throw new NetlabError("usage", `${where} is not name:scrypt:N:r:p:salt:hash`);
    const problem = findProblem(user);
    if (problem !== null) throw new NetlabError("usage", `${where}: ${problem}`, { hint: MAKES_LINES });
    users.set(user.name, user);
  }
  return users;
}

/** A line of it; null when it is none. */
function readUser(line: string): Hashed & { readonly name: string } | null {
  const [, name, N, r, p, salt, hash] = /^(.+):scrypt:(\d{1,9}):(\d{1,9}):(\d{1,9}):([^:]+):([^:]+)$/.exec(line) ?? [];
  if (name === undefined) return null;
  try {
    const cost = { N: Number(N), r: Number(r), p: Number(p) };
    return { name, cost, salt: Uint8Array.fromBase64(salt), hash: Uint8Array.fromBase64(hash) };
  } catch {
    return null;
  }
}
