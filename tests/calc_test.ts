// The calculator (problem 3): what is a question and what is its answer, beside Python's; and the server over TCP and UDP,
// asked by many, by those who cannot ask, and by those who vanish.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { calc } from "../lib/exercises/calc/mod.ts";
import { answer, DIVISIONS, isComplete, OPERATORS, parseRequest } from "../lib/exercises/calc/protocol.ts";
import { serveCalc } from "../lib/exercises/calc/server.ts";
import type { ServeContext } from "../lib/exercises/exercise.ts";
import type { Random } from "../lib/protocol/random.ts";
import { canReset, type ChatClient, Guests, sendAndReset, serveContext, serving } from "./chat_helpers.ts";
import { runProgram } from "./cli_helpers.ts";
import { bytes, collect, type Collected, type Peer, property, skipUnless, test, within } from "./helpers.ts";

const exact = (question: string) => answer(question, "exact");

/** Asserts what each question is answered with, exactly divided. */
function assertAnswers(expected: Readonly<Record<string, string>>): void {
  const answers = Object.keys(expected).map((question) => [question, exact(question)]);
  assertEquals(Object.fromEntries(answers), expected);
}

/** Milliseconds that an answer takes. */
function timeOf(question: string): number {
  const start = performance.now();
  exact(question);
  return performance.now() - start;
}

test("the operator stands between, before or behind the integers, with spaces, commas, both or nothing between", () => {
  for (const question of ["7 * 6", "7*6", "7 *6", "7* 6", "* 7 6", "7 6 *", "7,6,*", "*,7,6", "7, *, 6", "7 , 6\t*"]) {
    assertEquals(exact(question), "42", question);
  }
  assertAnswers({ "12 5 +": "17", "12 5 -": "7", "- 12 5": "7", "12 5 /": "2.4", "12 5 %": "2" });
});

test("a sign belongs to its integer, wherever the operator stands", () => {
  assertAnswers({ "7 - -6": "13", "7--6": "13", "7-6": "1", "7 6 -": "1", "7 -6 -": "13", "- 7 -6": "13" });
  assertAnswers({ "-7-6": "-13", "-7 - 6": "-13", "+7 + +6": "13", "-7*-6": "42", "-0 * 5": "0", "- -7 6": "-13" });
});

test("space, CR and commas around a question, and zeros before a number, say nothing", () => {
  assertAnswers({ "  7 * 6 \t": "42", "7 * 6\r": "42", ",7,*,6,": "42" });
  assertAnswers({ "007 * 00006": "42", "-007 * 6": "-42" });
});

test("a comma around a question says nothing where spaces stand by it, either", () => {
  assertAnswers({ ", 7 * 6": "42", "7 * 6 ,": "42", " , 7 , 6 , * , ": "42", ", , x": "ERROR not an integer: x" });
});

test("the remainder has the sign of the divisor", () => {
  assertAnswers({ "7 % 3": "1", "-7 % 3": "2", "7 % -3": "-2", "-7 % -3": "-1", "6 % -3": "0", "-6 % 3": "0" });
});

test("a quotient is an integer when it divides, and else a decimal as Python writes it", () => {
  assertAnswers({ "42 / 6": "7", "-42 / 6": "-7", "0 / -5": "0", "7 / 2": "3.5", "-7 / 2": "-3.5" });
  assertAnswers({
    "1 / 3": "0.3333333333333333",
    "1 / 10000": "0.0001",
    "1 / 100000": "1e-05",
    "2 / 3": "0.6666666666666666",
  });
  assertAnswers({ "10000000000000001 / 10": "1000000000000000.1", "100000000000000001 / 10": "1e+16" });
  assertAnswers({ [`1 / ${10n ** 323n}`]: "1e-323", [`-1 / ${10n ** 400n}`]: "-0.0" });
});

test("--division says what a quotient is", () => {
  const all = (question: string) => DIVISIONS.map((division) => answer(question, division));
  assertEquals(DIVISIONS, ["exact", "float", "floor"]);
  assertEquals(all("7 / 2"), ["3.5", "3.5", "3"]);
  assertEquals(all("6 / 2"), ["3", "3.0", "3"]);
  assertEquals(all("-7 / 2"), ["-3.5", "-3.5", "-4"]);
  assertEquals(all("0 / -5"), ["0", "-0.0", "0"]);
  assertEquals(all("-7 % 3"), ["2", "2", "2"]);
});

test("nothing divides by zero, in no mode", () => {
  for (const question of ["7 / 0", "0 / 0", "7 % 0", "7 / -0", "0,0,%"]) {
    for (const division of DIVISIONS) assertEquals(answer(question, division), "ERROR division by zero", question);
  }
});

test("a quotient that no decimal number reaches is refused, and not where it is an integer", () => {
  const huge = `${10n ** 400n + 1n}`;
  assertEquals(exact(`${huge} / 3`), "ERROR result too large for a decimal number");
  assertEquals(answer(`${huge} / 1`, "float"), "ERROR result too large for a decimal number");
  // From half-way between the largest and what would be the next it is rounded up, to nothing.
  const twiceHalfway = 2n ** 1025n - 2n ** 971n;
  assertEquals(exact(`${twiceHalfway - 1n} / 2`), "1.7976931348623157e+308");
  assertEquals(exact(`${twiceHalfway + 1n} / 2`), "ERROR result too large for a decimal number");
  assertEquals([exact(`${huge} / 1`), answer(`${huge} / 1`, "floor")], [huge, huge]);
});

test("what is no integer is named", () => {
  for (const wrong of ["4.5", "seven", "1e3", "0x10", "1_000", "٣", "７", "7;", "NaN"]) {
    for (const question of [`${wrong} + 1`, `1 ${wrong} +`, `+ 1 ${wrong}`]) {
      assertEquals(exact(question), `ERROR not an integer: ${wrong}`);
    }
  }
});

test("another operator, too little and too much are refused", () => {
  const [operator, expected] = ["operator must be one of + - * / %", "expected two integers and an operator: 7 * 6"];
  for (const question of ["7 ^ 6", "7 6 ^", "^ 7 6", "7 ** 6", "7 // 2", "7 6"]) {
    assertEquals(exact(question), `ERROR ${operator}`, question);
  }
  for (const question of ["", " ", ",", "7", "-7", "*", "7 *", "* 7", "7 * 6 *", "7 * 6 5", "1 + 2 + 3"]) {
    assertEquals(exact(question), `ERROR ${expected}`, question);
  }
});

test("only where nothing is wrong yet is more waited for", () => {
  for (const part of ["", " ", "7", "-", "-7", "7 *", "* 7", "7,"]) assert(!isComplete(part), part);
  for (const whole of ["7 * 6", "7*6", "7 6 *", "7 / 0", "seven", "4.5 +", "7 ^ 6"]) assert(isComplete(whole), whole);
  assertEquals(parseRequest("7 *"), { type: "incomplete" });
});

test("half a question without spaces is half a question, too", () => {
  for (const part of ["7*", "-7*", "7-", "7/-"]) assertEquals(parseRequest(part), { type: "incomplete" }, part);
});

test("operands of 10,000 digits are calculated with in no time, and one digit more is refused", () => {
  const [left, right] = ["9".repeat(10_000), `${"7".repeat(9_999)}1`];
  for (const operator of OPERATORS) assertLess(timeOf(`-${left} ${operator} +${right}`), 1000, operator);
  const product = exact(`${left}*${left}`);
  assertEquals(product, `${"9".repeat(9_999)}8${"0".repeat(9_999)}1`);
  for (const question of [`${left}0 + 1`, `1 ${left}0 +`, `+ 1 -${left}0`, `x${left} + 1`]) {
    assertEquals(exact(question), "ERROR number too long");
  }
});

for (
  const [what, part] of Object.entries({ commas: ",", spaces: " ", both: " ,", minus: "-", plus: "+ ", digits: "1" })
) {
  test(`a request full of ${what} holds up nobody`, () => {
    for (const end of ["", "1", "x"]) {
      const question = `1${part.repeat(65_000 / part.length)}${end}`;
      assertLess(timeOf(question), 1000);
    }
  });
}

test("what a refusal quotes is cut short, and its controls are written out", () => {
  assertEquals(exact(`${"é".repeat(5000)} + 1`), `ERROR not an integer: ${"é".repeat(32)}`);
  assertEquals(exact("7 * \x1b[31m\0"), "ERROR not an integer: \\x1b[31m\\x00");
  assertEquals(exact("7 + \u202e6"), "ERROR not an integer: \\u{202e}6");
});

/** An integer of any kind: small, with hundreds of digits, beside a power of two or of ten, or with a long tail of zeros. */
function someInteger(random: Random): bigint {
  const power = (base: bigint, max: number) => base ** BigInt(random.int(0, max));
  const some = (length: number) => random.bytes(length).reduce((value, byte) => (value << 8n) + BigInt(byte), 0n);
  const size = random.pick([
    () => BigInt(random.int(0, 12)),
    () => some(random.int(1, 16)),
    () => some(random.int(100, 400)),
    () => power(2n, 1100) + BigInt(random.int(-2, 2)),
    () => power(10n, 340) + BigInt(random.int(-1, 1)),
    () => some(7) * power(2n, 1000),
  ])();
  return random.chance(0.4) ? -size : size;
}

/** A question, of which many divide evenly and many lie in the middle between two decimals. */
function someQuestion(random: Random): string {
  const [left, right] = [someInteger(random), someInteger(random)];
  const operator = random.pick([...OPERATORS, "/", "/", "%"]);
  return `${random.chance(0.3) ? left * right : left} ${operator} ${right}`;
}

if (!skipUnless("python3").ignore) {
  property("ten thousand questions are answered as Python answers them, in every mode", 1, async (random) => {
    const questions = Array.from({ length: 10_000 }, () => someQuestion(random));
    const input = questions.map((question) => `${question}\n`).join("");
    const result = await runProgram([], { command: ["python3", "tests/peers/calc_answers.py"], input });
    assertEquals([result.status, result.err], [0, ""]);
    const expected = result.out.trimEnd().split("\n");
    assertEquals(expected.length, questions.length);
    for (const [i, question] of questions.entries()) {
      const got = DIVISIONS.map((division) => answer(question, division)).join("\t");
      if (got !== expected[i]) assertEquals(got, expected[i], question);
    }
  });
}

property("the same question has the same answer in every form", 1000, (random) => {
  const [left, operator, right] = someQuestion(random).split(" ");
  const forms = [`${left}${operator}${right}`, `${operator} ${left} ${right}`, `${left},${right},${operator}`];
  for (const form of forms) assertEquals(exact(form), exact(`${left} ${operator} ${right}`), form);
});

property("quotient times divisor and the remainder make the dividend", 1000, (random) => {
  const [left, right] = [someInteger(random), someInteger(random) || 1n];
  const quotient = BigInt(answer(`${left} / ${right}`, "floor"));
  const remainder = BigInt(exact(`${left} % ${right}`));
  assertEquals(quotient * right + remainder, left);
  assert(
    right > 0n ? 0n <= remainder && remainder < right : right < remainder && remainder <= 0n,
    `${left} % ${right}`,
  );
});

/** A server in this process and what a test knows of it. */
interface Served {
  readonly port: number;
  readonly trace: Collected;
  /** Connects a client that frames with `wire`. */
  join(wire?: string): Promise<ChatClient>;
  /** Connects a client that is only bytes. */
  peer(): Promise<Peer>;
  /** A client over UDP. */
  asker(): Asker;
}

/** Runs `fn` with a server, and ends that and its clients. */
async function withCalc(fn: (served: Served) => Promise<void>, changes: Partial<ServeContext> = {}): Promise<void> {
  const trace = collect(["close", "note", "warning"]);
  await serving(serveCalc(serveContext(calc, { trace, ...changes })), async (port) => {
    using guests = new Guests(port);
    await fn({
      port,
      trace,
      join: (wire = "line") => guests.join(wire),
      peer: () => guests.peer(),
      asker: () => guests.keep(new Asker(port)),
    });
    assertEquals(trace.of("warning"), []);
  });
}

/** A bare UDP client. */
class Asker {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #to: Deno.NetAddr;

  constructor(port: number) {
    this.#to = { transport: "udp", hostname: "127.0.0.1", port };
  }

  async send(datagram: string | Uint8Array): Promise<void> {
    await this.#socket.send(bytes(datagram), this.#to);
  }

  /** The next datagram that comes. */
  async receive(): Promise<string> {
    const [datagram] = await within(this.#socket.receive(new Uint8Array(65_536)), "an answer");
    return new TextDecoder().decode(datagram);
  }

  async ask(datagram: string | Uint8Array): Promise<string> {
    await this.send(datagram);
    return await this.receive();
  }

  close(): void {
    this.#socket.close();
  }
}

/** So many messages. */
async function several(client: { receive(): Promise<string> }, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count) got.push(await client.receive());
  return got;
}

for (const [wire, served] of [["line", "auto"], ["line", "line"], ["len4", "len4"]]) {
  test(`a thousand questions in one write are answered in order (${wire}, server with --wire ${served})`, () =>
    withCalc(async ({ join }) => {
      const client = await join(wire);
      const numbers = Array.from({ length: 1000 }, (_, i) => i);
      await client.send(...numbers.map((i) => i % 10 === 0 ? `${i} / 0` : `${i} * ${i}`));
      const expected = numbers.map((i) => i % 10 === 0 ? "ERROR division by zero" : `${i * i}`);
      assertEquals(await several(client, 1000), expected);
    }, { wire: served }));
}

test("questions byte by byte are answered as if they came whole", () =>
  withCalc(async ({ join }) => {
    const client = await join();
    for (const byte of bytes("7 * 6\r\n-7 % 3\n4,5,+\nséven - 1\n")) await client.sendBytes(byte);
    assertEquals(await several(client, 4), ["42", "2", "9", "ERROR not an integer: séven"]);
  }));

test("a client that sends no LF is answered without one, and asks on", () =>
  withCalc(async ({ peer, trace }) => {
    const client = await peer();
    for (const [question, result] of [["7 6 *", "42"], ["12 5 -", "7"], ["7 / 0", "ERROR division by zero"]]) {
      await client.send(question);
      assertEquals(await client.read(result.length), result);
    }
    await client.conn.closeWrite();
    assertEquals(await client.rest(), "");
    assertEquals(trace.of("note").map(({ text }) => text), ["client frames with nothing: one read is one message"]);
  }));

test("half a question and a silence is no question yet", () =>
  withCalc(async ({ peer, join }) => {
    const [client, other] = [await peer(), await join("raw")];
    await client.send("7 *");
    // Whoever is answered for silence now was silent for longer than that.
    assertEquals(await other.ask("7 + 6"), "13");
    await client.send(" 6\n");
    assertEquals(await client.line(), "42");
  }));

test("at the end of the stream the last question is answered, and half a one with what is missing", () =>
  withCalc(async ({ peer }) => {
    const incomplete = "ERROR expected two integers and an operator: 7 * 6";
    for (const [sent, got] of [["7 6 *", "42"], ["76*", incomplete], ["", ""], ["1 + 1\n", "2\n"]]) {
      const client = await peer();
      await client.send(sent);
      await client.conn.closeWrite();
      assertEquals(await client.rest(), got, sent);
    }
  }));

test("fifty clients at once get their own answers", () =>
  withCalc(async ({ join }) => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => join()));
    for (let round = 0; round < 10; round++) {
      for (const [i, client] of clients.entries()) await client.send(`${i} * ${round}`);
    }
    const got = await Promise.all(clients.map((client) => several(client, 10)));
    assertEquals(got, clients.map((_, i) => Array.from({ length: 10 }, (_, round) => `${i * round}`)));
  }));

test("whatever is wrong is answered with one ERROR, and the session goes on", () =>
  withCalc(async ({ peer }) => {
    const client = await peer();
    const ask = async (...parts: Parameters<typeof client.send>) => {
      await client.send(...parts, "\n7 * 6\n");
      const answers = [await client.line(), await client.line()];
      assertEquals(answers[1], "42");
      return answers[0];
    };
    assertEquals(await ask("1 / 0"), "ERROR division by zero");
    assertEquals(await ask("7 * ", 0xff), "ERROR invalid UTF-8 at byte 4");
    assertEquals(await ask("7 * ", 0), "ERROR not an integer: \\x00");
    assertEquals(await ask(""), "ERROR expected two integers and an operator: 7 * 6");
    assertEquals(await ask("1".repeat(10_001), " + 1"), "ERROR number too long");
    assertEquals(await ask("1".repeat(65_537)), "ERROR message too long: more than 65536 bytes");
    assertEquals(await ask("GET / HTTP/1.1\r"), "ERROR not an integer: GET");
  }));

const VANISHING = [["", 0], ["7 *", 0], ["7 * 6\n".repeat(1000), 0], ["7 * 6\n7 ", 3]] as const;

test("clients that vanish halfway harm nobody", () =>
  withCalc(async ({ port, join, trace }) => {
    const client = await join();
    assertEquals(await client.ask("7 * 6"), "42");
    for (const [i, [sent, answerBytes]] of VANISHING.entries()) {
      await sendAndReset(port, bytes(sent), answerBytes);
      await trace.until("the end of its session", () => trace.of("close").length === i + 1);
      assertEquals(await client.ask("7 * 6"), "42");
    }
  }), canReset);

test("who asks nothing that is a question is sent away in the end, who divides by zero is not", () =>
  withCalc(async ({ join }) => {
    const client = await join();
    for (let i = 0; i < 4; i++) {
      assertEquals(await client.ask("hello"), "ERROR not an integer: hello");
      assertEquals(await client.ask("7 *"), "ERROR expected two integers and an operator: 7 * 6");
      assertEquals(await client.ask("1 / 0"), "ERROR division by zero");
    }
    await client.send("a", "b", "c", "7 * 6");
    assertEquals(
      await several(client, 4),
      [..."abc"].map((one) => `ERROR not an integer: ${one}`).concat("ERROR too many errors"),
    );
    await client.ended();
  }, { limits: { maxErrors: 3 } }));

test("answers that are larger than the queue arrive all at a client that reads", () =>
  withCalc(async ({ join }) => {
    const client = await join();
    const [question, result] = [`${"9".repeat(9_999)} + 1`, `1${"0".repeat(9_999)}`];
    const sending = client.send(...Array(200).fill(question));
    assert((await several(client, 200)).every((got) => got === result));
    await sending;
  }, { limits: { queueBytes: 32_768 } }));

test("a result for which the framing has no room is refused, and the next question is answered", () =>
  withCalc(async ({ join }) => {
    const client = await join("len1");
    assertEquals([await client.ask("1/3"), await client.ask("1/2")], ["ERROR 18 ", "0.5"]);
  }, { wire: "len1" }));

test("the server divides as it was told to", async () => {
  for (const [division, expected] of [["exact", "3.5 3"], ["float", "3.5 3.0"], ["floor", "3 3"]]) {
    for (const transport of ["tcp", "udp"] as const) {
      await withCalc(async ({ join, asker }) => {
        const client = transport === "tcp" ? await join() : asker();
        assertEquals(`${await client.ask("7 / 2")} ${await client.ask("6 / 2")}`, expected);
      }, { options: { division }, transport });
    }
  }
});

const UDP = { transport: "udp" } as const;

test("over UDP a datagram is answered with a datagram, and that with LF if the question had one", () =>
  withCalc(async ({ asker }) => {
    const client = asker();
    for (const [sent, got] of [["7 * 6", "42"], ["7 6 *\n", "42\n"], ["1 / 3\r\n", "0.3333333333333333\n"]]) {
      assertEquals([await client.ask(sent), await client.ask("7 % -3")], [got, "-2"]);
    }
  }, UDP));

test("over UDP operands and results may be as long as over TCP", () =>
  withCalc(async ({ asker }) => {
    const nines = "9".repeat(10_000);
    assertEquals(await asker().ask(`${nines}*${nines}`), `${"9".repeat(9_999)}8${"0".repeat(9_999)}1`);
    assertEquals(await asker().ask(`${nines}0*${nines}`), "ERROR number too long");
  }, UDP));

test("datagrams that are no question get one ERROR each, and the next is served", () =>
  withCalc(async ({ asker }) => {
    const client = asker();
    const garbage = [
      "",
      "\n",
      "hello",
      "1 / 0",
      "7 *",
      "7 * 6\n7 * 6",
      "1".repeat(65_000),
      bytes(0),
      bytes(0xff, 0xfe),
    ];
    for (const datagram of garbage) await client.send(datagram);
    await client.send("7 * 6");
    const answers = await several(client, garbage.length + 1);
    for (const text of answers.slice(0, -1)) assertMatch(text, /^ERROR [^\n]+\n?$/);
    assertEquals(answers.at(-1), "42");
  }, UDP));

test("over UDP a refusal is not refused: two servers that a forger introduced would never end", () =>
  withCalc(async ({ asker }) => {
    const client = asker();
    await client.send("ERROR unknown command: ERROR");
    assertEquals(await client.ask("7 * 6"), "42");
  }, UDP));

test("over UDP twenty clients at once get their own answers", () =>
  withCalc(async ({ asker }) => {
    const clients = Array.from({ length: 20 }, asker);
    for (let round = 0; round < 5; round++) {
      for (const [i, client] of clients.entries()) await client.send(`${i} * ${round}`);
    }
    const got = await Promise.all(clients.map((client) => several(client, 5)));
    assertEquals(got, clients.map((_, i) => Array.from({ length: 5 }, (_, round) => `${i * round}`)));
  }, UDP));

test("over UDP nobody is turned away: who asked first is forgotten without a word, and may ask again", () =>
  withCalc(async ({ asker }) => {
    const clients = Array.from({ length: 5 }, asker);
    for (const client of [...clients, ...clients]) assertEquals(await client.ask("7 * 6"), "42");
  }, { ...UDP, limits: { maxClients: 2 } }));
