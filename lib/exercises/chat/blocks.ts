// Whom a user does not want to hear.

/** How many names one user may block. */
export const MAX_BLOCKS = 1000;

/**
 * Blocked names. A block is of the name, whoever has it, now or later, and of the connection that had it then, whatever its
 * user is called by now.
 */
export class Blocks {
  /** Names, and who had each when it was blocked. */
  readonly #names = new Map<string, number | null>();
  readonly #connections = new Set<number>();

  /** @param connection that of the user who has the name, or null. @returns false when there are too many */
  add(name: string, connection: number | null): boolean {
    if (!this.#names.has(name) && this.#names.size === MAX_BLOCKS) return false;
    this.#names.set(name, connection ?? this.#names.get(name) ?? null);
    this.#count();
    return true;
  }

  /** Lifts the block of a name, and every block of the user who has it now or had it then. */
  remove(name: string, connection: number | null): void {
    const users = [connection, this.#names.get(name) ?? null].filter((user) => user !== null);
    this.#names.delete(name);
    for (const [other, user] of this.#names) if (user !== null && users.includes(user)) this.#names.delete(other);
    this.#count();
  }

  has(name: string, connection: number): boolean {
    return this.#names.size > 0 && (this.#names.has(name) || this.#connections.has(connection));
  }

  #count(): void {
    this.#connections.clear();
    for (const user of this.#names.values()) if (user !== null) this.#connections.add(user);
  }
}
