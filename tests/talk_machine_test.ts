// Lockstep chat without sockets, in virtual time: the turns, what a refusal does, and what UDP adds (silence, duplicates).

import { assert, assertEquals } from "@std/assert";
import { refusal, RESEND_MS, TalkMachine } from "../lib/exercises/talk/protocol.ts";
import { errorReply } from "../lib/exercises/text.ts";
import { test } from "./helpers.ts";

const WAIT = errorReply(refusal.wait());

/** A machine that is stepped by hand; what it does is said in a few words. */
class End {
  readonly machine: TalkMachine;
  now = 1000;

  constructor(resendMs: number | null) {
    this.machine = new TalkMachine(resendMs);
    assertEquals(this.machine.step({ type: "start" }, this.now), []);
  }

  type(line: string): string[] {
    return this.#step({ type: "command", command: line });
  }

  get(text: string): string[] {
    return this.#step({ type: "message", message: text });
  }

  /** Lets time pass; a deadline on the way is stepped at its time. */
  pass(ms: number): string[] {
    const until = this.now + ms;
    const done: string[] = [];
    for (;;) {
      const deadline = this.machine.deadline();
      if (deadline === null || deadline > until) break;
      assert(done.length < 10, "its deadline never passes");
      this.now = Math.max(this.now, deadline);
      done.push(...this.#step({ type: "timer" }));
    }
    this.now = until;
    return done;
  }

  #step(input: Parameters<TalkMachine["step"]>[0]): string[] {
    return this.machine.step(input, this.now).flatMap((effect) => {
      if (effect.type === "send") return [`sends ${effect.message}`];
      if (effect.type === "close") return ["closes"];
      if (effect.type === "note" || effect.type === "mark") return [];
      const { event } = effect;
      if (event.type === "silence") return [`silent for ${event.ms}`];
      return [event.type === "notSent" ? `not sent: ${event.why}` : `${event.type}: ${event.text}`];
    });
  }
}

const tcp = () => new End(null);
const udp = () => new End(RESEND_MS);

for (const [transport, make] of [["TCP", tcp], ["UDP", udp]] as const) {
  test(`${transport}: after a message its sender waits for one from the other`, () => {
    const end = make();
    assertEquals(end.type("hello"), ["sends hello"]);
    assertEquals(end.machine.mayType, false);
    assertEquals(end.type("hello?"), ["not sent: wait for the reply"]);
    assertEquals(end.get("hi"), ["message: hi"]);
    assertEquals([end.machine.mayType, end.machine.owesAnswer], [true, true]);
    assertEquals(end.type("how are you"), ["sends how are you"]);
    assertEquals(end.machine.owesAnswer, false);
    assertEquals(end.type("well?"), ["not sent: wait for the reply"]);
  });

  test(`${transport}: either may begin`, () => {
    assertEquals(make().type("I begin"), ["sends I begin"]);
    const called = make();
    assertEquals(called.get("you begin"), ["message: you begin"]);
    assertEquals(called.type("I answer"), ["sends I answer"]);
  });

  test(`${transport}: first messages that cross are each other's answer, and both may go on`, () => {
    const [alice, bob] = [make(), make()];
    assertEquals([alice.type("hello"), bob.type("hallo")], [["sends hello"], ["sends hallo"]]);
    assertEquals([alice.get("hallo"), bob.get("hello")], [["message: hallo"], ["message: hello"]]);
    assertEquals([alice.machine.mayType, bob.machine.mayType], [true, true]);
    // Who is faster now is out of turn for the other, and is told; the other's next message sets it right.
    assertEquals(alice.type("I am faster"), ["sends I am faster"]);
    assertEquals(bob.get("I am faster"), [`sends ${WAIT}`]);
    assertEquals(alice.get(WAIT), [`refused: ${WAIT}`]);
    assertEquals(bob.type("now I answer"), ["sends now I answer"]);
    assertEquals(alice.get("now I answer"), ["message: now I answer"]);
    assertEquals(alice.type("I am faster"), ["sends I am faster"]);
    assertEquals(bob.get("I am faster"), ["message: I am faster"]);
  });

  test(`${transport}: a message out of turn is refused, not shown, and costs nothing else`, () => {
    const end = make();
    assertEquals(end.get("one"), ["message: one"]);
    for (const text of ["two", "three"]) assertEquals(end.get(text), [`sends ${WAIT}`]);
    assertEquals([end.machine.mayType, end.machine.owesAnswer], [true, true]);
    assertEquals(end.type("to one"), ["sends to one"]);
    assertEquals(end.get("four"), ["message: four"]);
  });

  test(`${transport}: to be told to wait is no turn, and asks for no answer`, () => {
    const end = make();
    end.type("hello");
    assertEquals(end.get(WAIT), [`refused: ${WAIT}`]);
    assertEquals([end.machine.mayType, end.machine.owesAnswer], [false, false]);
    assertEquals(end.type("please"), ["not sent: wait for the reply"]);
    assertEquals(end.get("here I am"), ["message: here I am"]);
  });

  test(`${transport}: a message that was refused for another reason may be put in other words at once`, () => {
    for (const why of ["ERROR", "ERROR message too long: more than 8192, the limit is 8192", "ERROR invalid UTF-8"]) {
      const end = make();
      end.type("something bad");
      assertEquals(end.get(why), [`refused: ${why}`]);
      assertEquals(end.machine.owesAnswer, false);
      assertEquals(end.type("something better"), ["sends something better"]);
    }
  });

  test(`${transport}: what the other owes is not confused by a refusal: who owes an answer may give it`, () => {
    // It comes late, or from a program that does not know its own turns: waiting for each other would have no end.
    const end = make();
    end.get("your turn");
    assertEquals(end.get(WAIT), [`refused: ${WAIT}`]);
    assertEquals(end.machine.owesAnswer, true);
    assertEquals(end.type("so I answer"), ["sends so I answer"]);
  });

  test(`${transport}: a line that looks like a refusal is refused here, and is no turn`, () => {
    const end = make();
    const why = "not sent: a message cannot begin with ERROR: refusals do";
    for (const line of ["ERROR", "ERROR wait for the reply", "ERROR 42"]) assertEquals(end.type(line), [why]);
    for (const line of ["ERRORS happen"]) assertEquals(end.type(line), [`sends ${line}`]);
    assertEquals(end.type("ERROR again"), [why]);
  });

  test(`${transport}: empty messages are no turn`, () => {
    const end = make();
    for (const text of ["", " ", "\t \t"]) assertEquals(end.get(text), []);
    assertEquals(end.machine.owesAnswer, false);
    end.type("hello");
    assertEquals(end.get(""), []);
    assertEquals(end.machine.mayType, false);
    assertEquals(end.get("hi"), ["message: hi"]);
    assertEquals(end.get(""), []);
  });

  test(`${transport}: the end closes the machine`, () => {
    assertEquals(make().machine.step({ type: "end" }, 5), [{ type: "close", error: undefined }]);
  });
}

test("over TCP there is no timer, whatever happens, and no refusal closes: the stream's end does", () => {
  const end = tcp();
  const wantsNone = () => assertEquals(end.machine.deadline(), null);
  wantsNone();
  for (const text of ["hello", "again"]) {
    end.type(text);
    wantsNone();
    end.get(`re: ${text}`);
    wantsNone();
  }
  end.type("bye");
  assertEquals(end.get(errorReply(refusal.left())), ["refused: ERROR your partner has left"]);
  wantsNone();
  assertEquals(end.pass(100 * RESEND_MS), []);
});

test("over UDP silence is noticed at its time, not a millisecond before, and only once", () => {
  const end = udp();
  assertEquals(end.machine.deadline(), null);
  end.type("hello");
  assertEquals(end.machine.deadline(), end.now + RESEND_MS);
  assertEquals(end.machine.step({ type: "timer" }, end.now + RESEND_MS - 1), []);
  assertEquals(end.pass(RESEND_MS - 1), []);
  assertEquals([end.machine.mayType, end.machine.silent], [false, false]);
  assertEquals(end.pass(1), [`silent for ${RESEND_MS}`]);
  assertEquals([end.machine.mayType, end.machine.silent, end.machine.deadline()], [true, true, null]);
  assertEquals(end.pass(10 * RESEND_MS), []);
});

test("over UDP what is typed after silence is sent, the same or another, and silence counts anew", () => {
  const end = udp();
  end.type("hello");
  for (const text of ["hello", "are you there?", "hello"]) {
    assertEquals(end.type(text), ["not sent: wait for the reply"]);
    assertEquals(end.pass(RESEND_MS - 1), []);
    assertEquals(end.pass(1), [`silent for ${RESEND_MS}`]);
    assertEquals(end.type(text), [`sends ${text}`]);
    assertEquals([end.machine.mayType, end.machine.silent], [false, false]);
  }
});

test("over UDP an answer ends the waiting for good, before silence or after it", () => {
  for (const ms of [RESEND_MS - 1, RESEND_MS]) {
    const end = udp();
    end.type("hello");
    end.pass(ms);
    assertEquals(end.get("hi"), ["message: hi"]);
    assertEquals([end.machine.silent, end.machine.deadline()], [false, null]);
    assertEquals(end.pass(10 * RESEND_MS), []);
    assertEquals(end.type("good"), ["sends good"]);
    assertEquals([end.machine.mayType, end.machine.silent], [false, false]);
  }
});

test("over UDP to be told to wait after sending again restores the waiting", () => {
  const end = udp();
  end.type("hello");
  end.pass(RESEND_MS);
  end.type("hello again");
  end.pass(20);
  assertEquals(end.get(WAIT), [`refused: ${WAIT}`]);
  assertEquals([end.machine.mayType, end.machine.silent], [false, false]);
  assertEquals(end.type("hello?"), ["not sent: wait for the reply"]);
  assert(end.machine.deadline()! >= end.now + RESEND_MS - 20);
  assertEquals(end.pass(RESEND_MS).length, 1);
  assertEquals(end.machine.mayType, true);
});

test("over UDP to be told to wait in the midst of silence restores the waiting, and silence counts anew", () => {
  const end = udp();
  end.type("hello");
  end.pass(2 * RESEND_MS);
  assertEquals(end.get(WAIT), [`refused: ${WAIT}`]);
  assertEquals([end.machine.mayType, end.machine.silent], [false, false]);
  assertEquals(end.pass(RESEND_MS - 1), []);
  assertEquals(end.pass(1), [`silent for ${RESEND_MS}`]);
});

test("over UDP duplicates before the answer are neither shown nor refused", () => {
  const end = udp();
  assertEquals(end.get("hello"), ["message: hello"]);
  for (let i = 0; i < 3; i++) assertEquals(end.get("hello"), []);
  assertEquals(end.get("hello!"), [`sends ${WAIT}`]);
  assertEquals(end.get("hello"), []);
  assertEquals(end.type("hi"), ["sends hi"]);
  // Who says the same in answer to that means it.
  assertEquals(end.get("hello"), ["message: hello"]);
});

test("over TCP, which duplicates nothing, the same again is out of turn", () => {
  const end = tcp();
  end.get("hello");
  assertEquals(end.get("hello"), [`sends ${WAIT}`]);
});

test("the log is told once a turn of what comes out of turn, or twice, however often", () => {
  const machine = new TalkMachine(1000);
  const notes = (text: string) =>
    machine.step({ type: "message", message: text }, 0).flatMap((effect) =>
      effect.type === "note" ? [effect.text] : []
    );
  const turn = ["hello", "hello", "hello", "out", "of turn", "hello"].map(notes);
  assertEquals(turn, [[], ["duplicate dropped"], [], ["out of turn, not shown"], [], []]);
  machine.step({ type: "command", command: "an answer" }, 0);
  assertEquals(["next", "next"].map(notes), [[], ["duplicate dropped"]]);
});

test("over UDP a refusal that is the last word closes; any other does not", () => {
  for (const why of [refusal.busy(), refusal.left(), refusal.shutdown(), "idle for 3600 s"]) {
    for (const first of [[], ["hello"]]) {
      const end = udp();
      first.forEach((line) => end.type(line));
      assertEquals(end.get(errorReply(why)), [`refused: ERROR ${why}`, "closes"]);
    }
  }
  for (const why of [refusal.wait(), refusal.empty(), "message too long"]) {
    const end = udp();
    assertEquals(end.get(errorReply(why)), [`refused: ERROR ${why}`]);
  }
});
