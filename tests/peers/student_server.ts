// A chat server as a student might hand it in: len4, one of several course wordings, and any of the flaws that the checks
// exist to find.

/** What students get wrong; each is found by a check. */
export type Flaw =
  | "takes one read for one message"
  | "never greets"
  | "refuses every name"
  | "lists only the asker"
  | "loses messages"
  | "sends messages to everybody"
  | "delivers in reverse"
  | "gives a taken name away"
  | "says nothing to an unknown user"
  | "says nothing to an unknown command"
  | "ends the session after an error"
  | "never ends after EXIT"
  | "never frees names"
  | "falls over bad UTF-8"
  | "takes any name";

/** How a course words what a server says. */
export interface Wording {
  readonly greeting?: string;
  hello(name: string): string;
  delivery(from: string, text: string): string;
  names(names: readonly string[]): string;
  readonly taken: string;
  readonly invalid: string;
  readonly noSuchUser: string;
  readonly unknown: string;
}

export const WORDINGS: Readonly<Record<string, Wording>> = {
  "Hello alice, alice send hi, names joined by a comma": {
    greeting: "Welcome to the chat server!",
    hello: (name) => `Hello ${name}`,
    delivery: (from, text) => `${from} send ${text}`,
    names: (names) => names.join(", "),
    taken: "This name already exists",
    invalid: "Name is not valid",
    noSuchUser: "Client not found",
    unknown: "Unrecognized command",
  },
  "FROM alice hi, names with a trailing space": {
    hello: (name) => `your name is ${name} now`,
    delivery: (from, text) => `FROM ${from} ${text}`,
    names: (names) => names.map((name) => `${name} `).join(""),
    taken: "Error: name in use, it must be unique",
    invalid: "Error: illegal name",
    noSuchUser: "can't send, user does not exist",
    unknown: "Error: wrong command",
  },
  "[alice] hi, refusals without the word error": {
    hello: (name) => `OK ${name}`,
    delivery: (from, text) => `[${from}] ${text}`,
    names: (names) => `Online: ${names.join("; ")}`,
    taken: "Name in use, please choose another",
    invalid: "Bad name",
    noSuchUser: "No user with that name",
    unknown: "COMMAND_UNSUPPORTED",
  },
};

interface Student {
  readonly conn: Deno.TcpConn;
  name: string | null;
  /** The message that is held back, for `delivers in reverse`; null before the first has passed. */
  held: string | undefined | null;
}

/** The server. It is as small as a student's, and lives until `close`. */
export class StudentServer {
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #flaw: Flaw | undefined;
  readonly #words: Wording;
  readonly #students = new Set<Student>();
  readonly #names = new Map<string, Student>();
  readonly #sessions: Promise<void>[] = [];
  readonly #accepting: Promise<void>;

  constructor(flaw?: Flaw, words: Wording = Object.values(WORDINGS)[0]) {
    this.#flaw = flaw;
    this.#words = words;
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#accepting = this.#accept();
  }

  async close(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const student of [...this.#students]) this.#drop(student);
    await Promise.all(this.#sessions);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      const student: Student = { conn, name: null, held: null };
      this.#students.add(student);
      this.#sessions.push(this.#serve(student));
    }
  }

  async #serve(student: Student): Promise<void> {
    if (this.#words.greeting) this.#send(student, this.#words.greeting);
    const decoder = new TextDecoder("utf-8", { fatal: this.#flaw === "falls over bad UTF-8" });
    let waiting = new Uint8Array(0);
    const buffer = new Uint8Array(4096);
    try {
      for (;;) {
        const count = await student.conn.read(buffer);
        if (count === null) break;
        if (this.#flaw === "takes one read for one message") {
          this.#handle(student, decoder.decode(buffer.subarray(4, count)));
          continue;
        }
        waiting = Uint8Array.from([...waiting, ...buffer.subarray(0, count)]);
        for (;;) {
          const length = Number(new TextDecoder().decode(waiting.subarray(0, 4)));
          if (waiting.length < 4 || !(waiting.length >= 4 + length)) break; // a length that is no number never comes
          this.#handle(student, decoder.decode(waiting.subarray(4, 4 + length)));
          waiting = waiting.slice(4 + length);
        }
      }
    } catch (error) {
      // A server without exception handling ends, and with it every session.
      if (error instanceof TypeError) { for (const one of [...this.#students]) this.#drop(one); }
    }
    this.#drop(student);
  }

  #handle(student: Student, line: string): void {
    const [command, first = "", ...rest] = line.split(" ");
    if (command === "NAME") this.#name(student, first);
    else if (command === "GET_NAMES") {
      const all = this.#flaw === "lists only the asker" ? [student.name!] : [...this.#names.keys()];
      this.#send(student, this.#words.names(all));
    } else if (command === "MSG") this.#message(student, first, rest.join(" "));
    else if (command === "EXIT") {
      if (this.#flaw !== "never ends after EXIT") this.#drop(student);
    } else if (this.#flaw !== "says nothing to an unknown command") this.#refuse(student, this.#words.unknown);
  }

  #name(student: Student, name: string): void {
    // deno-lint-ignore no-control-regex
    const invalid = name === "" || /[\x00-\x1f]/.test(name);
    if (invalid && this.#flaw !== "takes any name") return this.#refuse(student, this.#words.invalid);
    if (this.#flaw === "refuses every name") return this.#refuse(student, `Error: ${name} is taken`);
    if (this.#names.has(name) && this.#flaw !== "gives a taken name away") {
      return this.#refuse(student, this.#words.taken);
    }
    if (student.name !== null) this.#names.delete(student.name);
    student.name = name;
    this.#names.set(name, student);
    if (this.#flaw !== "never greets") this.#send(student, this.#words.hello(name));
  }

  #message(student: Student, to: string, text: string): void {
    const receiver = this.#names.get(to);
    const message = this.#words.delivery(student.name ?? "?", text);
    if (!receiver) {
      if (this.#flaw !== "says nothing to an unknown user") this.#refuse(student, this.#words.noSuchUser);
    } else if (this.#flaw === "sends messages to everybody") {
      for (const other of this.#students) this.#send(other, message);
    } else if (this.#flaw === "delivers in reverse") this.#deliverSwapped(receiver, message);
    else if (this.#flaw !== "loses messages") this.#send(receiver, message);
  }

  /** The first message goes through; of each two that follow, the second overtakes the first. */
  #deliverSwapped(receiver: Student, message: string): void {
    const { held } = receiver;
    if (held === undefined) {
      receiver.held = message;
      return;
    }
    this.#send(receiver, message);
    if (held !== null) this.#send(receiver, held);
    receiver.held = undefined;
  }

  #refuse(student: Student, why: string): void {
    this.#send(student, why);
    if (this.#flaw === "ends the session after an error") this.#drop(student);
  }

  #send(student: Student, text: string): void {
    const body = new TextEncoder().encode(text);
    const head = new TextEncoder().encode(String(body.length).padStart(4, "0"));
    student.conn.write(Uint8Array.from([...head, ...body])).catch(() => this.#drop(student));
  }

  #drop(student: Student): void {
    if (!this.#students.delete(student)) return;
    if (student.name !== null && this.#flaw !== "never frees names") this.#names.delete(student.name);
    student.conn.close();
  }
}
