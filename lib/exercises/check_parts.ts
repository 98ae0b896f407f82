// What checks of several exercises ask in the same way: steps, and what is sent and expected in them.

import {
  accept,
  connect,
  endInput,
  exits,
  expect,
  type Expectation,
  expectEnd,
  leave,
  mentions,
  send,
  sendBytes,
  shows,
  start,
  type Step,
  type,
} from "./check.ts";

/** A message that is longer than one `recv(1024)` brings. */
export const LONG = "x".repeat(1500);

/** A line that is not UTF-8. */
export const sendBadText = (who: string): Step =>
  sendBytes(who, new Uint8Array([0xff, 0xfe, 0x20, 0xc3, 0x0a]), "a line that is not UTF-8");

/** What one end says is shown to the person at `at`. */
export const tells = (who: string, at: string, text: string): Step[] => [
  send(who, text),
  shows(at, mentions(`"${text}"`, text)),
];

/** What is typed at `at` comes to one end. */
export const types = (at: string, who: string, text: string): Step[] => [
  type(at, text),
  expect(who, mentions(`"${text}"`, text)),
];

/** Messages that are sent one behind the other are all shown to the person at `at`. */
export const tellsAtOnce = (who: string, at: string, messages: readonly string[]): Step[] => [
  ...messages.map((text) => send(who, text)),
  ...messages.map((text) => shows(at, mentions(text, text))),
];

/** Several that end with a dot, so that none is the beginning of another. */
export const numbered = (count: number, before = ""): string[] =>
  Array.from({ length: count }, (_, i) => `${before}number ${i}.`);

/** Who has somebody and wants nobody else. */
export const busy: Expectation = {
  what: "a refusal: busy",
  accepts: "it says busy, occupied, in use, already, only one, or error",
  matches: (text) => /busy|occupied|in use|already|error|only one/i.test(text),
};

/** A caller is told that there is somebody else, and sent away. @param greeting what it says first, if anything */
export const sentAway = (who: string, greeting?: string): Step[] => [
  ...connect(who),
  ...(greeting === undefined ? [] : [send(who, greeting)]),
  expect(who, busy),
  expectEnd(who),
];

/** A client under test has said something: some call only then. */
export const saysFirst = (text: string): Step[] => [
  start("client"),
  type("client", text),
  accept("server"),
  expect("server", mentions(`"${text}"`, text)),
];

/** A server that vanishes does not hang the client under test. */
export const outlivesServer: readonly Step[] = [leave("server", "reset"), endInput("client"), exits("client")];

/** An answer that is not UTF-8 does not hang it either. */
export const outlivesBadText: readonly Step[] = [
  sendBadText("server"),
  endInput("client"),
  leave("server"),
  exits("client"),
];

/** The end of its input ends it. */
export const endsWithInput: readonly Step[] = [
  endInput("client"),
  expectEnd("server"),
  leave("server"),
  exits("client"),
];

const WORDS = ["first", "second", "third"];

/** Lines that are typed at a client under test, one behind the other, are messages of their own. */
export const typesAtOnce: readonly Step[] = WORDS.map((text) => type("client", text));
export const comeApart: readonly Step[] = WORDS.map((text) =>
  expect("server", {
    what: `"${text}" alone`,
    accepts: "a message with this word and none of the others",
    matches: (message) => message.match(/first|second|third/g)?.join() === text,
  })
);
