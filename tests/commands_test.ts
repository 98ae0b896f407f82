// What people type, without anybody who types: the table of commands, completion, names, and whom a name means.

import { assertEquals, assertThrows } from "@std/assert";
import {
  type CommandForm,
  completeLine,
  completeWord,
  describeForms,
  findForm,
  splitWord,
} from "../lib/exercises/commands.ts";
import { FORMS as MESH, type Known, labelOf, resolve } from "../lib/exercises/mesh/protocol.ts";
import { invalidName, MAX_NAME } from "../lib/exercises/names.ts";
import { FORMS as PEER } from "../lib/exercises/peer/protocol.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { property, test } from "./helpers.ts";

const FORMS: readonly CommandForm[] = [
  { word: "say", form: "say <text>", meaning: "say it" },
  { word: "Set", also: ["let", "DEFINE"], form: "Set <who> <value>", meaning: "remember it" },
  { word: "stop", form: "stop", meaning: "leave" },
];

test("a line is its first word and the rest, without the spaces between them", () => {
  const cases: [line: string, word: string, rest: string][] = [
    ["", "", ""],
    ["   ", "", ""],
    ["list", "list", ""],
    ["list  ", "list", ""],
    ["  send bob hi", "send", "bob hi"],
    ["send   bob  hi ", "send", "bob  hi "],
    ["send\tbob\thi", "send", "bob\thi"],
    ["send\u00a0hi", "send", "hi"],
    ["größe 中文 👩‍👩‍👧", "größe", "中文 👩‍👩‍👧"],
  ];
  for (const [line, word, rest] of cases) assertEquals(splitWord(line), [word, rest], JSON.stringify(line));
});

property("a word and a rest that are joined are taken apart again", 300, (random) => {
  const word = Array.from({ length: random.int(1, 8) }, () => random.pick(["a", "é", "中", "👍", ":", "-"])).join("");
  const rest = Array.from({ length: random.int(0, 8) }, () => random.pick(["b", " ", "\t", "ß", "<", "\\"])).join("");
  const gap = " ".repeat(random.int(1, 3));
  assertEquals(splitWord(`${random.pick(["", " "])}${word}${gap}${rest}`), [word, rest.trimStart()]);
});

test("a command is found by its word, or another for the same, in any case", () => {
  for (const word of ["say", "SAY", "Say"]) assertEquals(findForm(FORMS, word), FORMS[0]);
  for (const word of ["set", "SET", "let", "LET", "define", "Define"]) assertEquals(findForm(FORMS, word), FORMS[1]);
  for (const word of ["", "sa", "says", "say ", "<text>", "toString"]) assertEquals(findForm(FORMS, word), undefined);
});

test("in the exercises no word stands for two commands", () => {
  for (const forms of [PEER, MESH]) {
    const words = forms.flatMap(({ word, also = [] }) => [word, ...also]).map((word) => word.toLowerCase());
    assertEquals(words.filter((word, i) => words.indexOf(word) !== i), []);
    for (const form of forms) assertEquals(form.form.split(" ")[0], form.word);
  }
});

test("the beginning of a word is completed to commands, with a space where more has to follow", () => {
  assertEquals(completeLine(FORMS, ""), ["say ", "Set ", "stop"]);
  assertEquals(completeLine(FORMS, "s"), ["say ", "Set ", "stop"]);
  assertEquals(completeLine(FORMS, "SE"), ["Set "]);
  assertEquals(completeLine(FORMS, "sto"), ["stop"]);
  assertEquals(completeLine(FORMS, "stop"), ["stop"]);
  assertEquals(completeLine(FORMS, "x"), []);
});

test("behind a command's word it is completed to the names that may stand there, and no further", () => {
  const names = (form: CommandForm) => form.word === "Set" ? ["alice", "albert", "bob"] : [];
  assertEquals(completeLine(FORMS, "set ", names), ["set alice ", "set albert ", "set bob "]);
  assertEquals(completeLine(FORMS, "set al", names), ["set alice ", "set albert "]);
  assertEquals(completeLine(FORMS, "LET b", names), ["LET bob "], "as it was typed");
  assertEquals(completeLine(FORMS, "set Al", names), [], "names have their case");
  assertEquals(completeLine(FORMS, "say a", names), []);
  assertEquals(completeLine(FORMS, "set alice b", names), []);
  assertEquals(completeLine(FORMS, "unknown a", names), []);
  assertEquals(completeLine(FORMS, "set al"), [], "without names there are none");
});

property("whatever is completed begins with what was typed, in any case", 300, (random) => {
  const words = [...MESH.map(({ word }) => word), "set_alias", "xyz"];
  const whole = `${random.pick(words)} ${random.pick(["alice", "127.0.0.1:7", "bob"])} hello`;
  const line = whole.slice(0, random.int(0, whole.length));
  const typed = random.chance(0.3) ? line.toUpperCase() : line;
  for (const completed of completeLine(MESH, typed, () => ["alice", "ALICE", "127.0.0.1:7", "bob"])) {
    assertEquals(completed.slice(0, typed.length).toLowerCase(), typed.toLowerCase());
  }
});

test("a lone word is completed to those that begin with it, and nothing to everything", () => {
  assertEquals(completeWord("", ["alice", "bob"]), []);
  assertEquals(completeWord("a", ["alice", "bob", "al"]), ["alice", "al"]);
  assertEquals(completeWord("A", ["alice"]), []);
  assertEquals(completeWord("alice", new Set(["alice"])), ["alice"]);
});

test("help has a line for each command, in columns, with the other words for it", () => {
  assertEquals(describeForms(FORMS), [
    "  say <text>         say it",
    "  Set <who> <value>  remember it (also let, DEFINE)",
    "  stop               leave",
  ]);
  for (const forms of [PEER, MESH]) {
    const rows = describeForms(forms);
    assertEquals(rows.length, forms.length);
    assertEquals(rows.filter((row) => row.length > 80), []);
  }
});

test("a name is letters, digits and a few signs, not too many, composed, and not reserved", () => {
  for (const name of ["a", "alice", "Ünal", "中文", "a_b-c.d", "7", "x".repeat(MAX_NAME), "𐐷".repeat(MAX_NAME)]) {
    assertEquals(invalidName(name), null, name);
  }
  assertEquals(invalidName(""), "it is empty");
  assertEquals(invalidName("x".repeat(MAX_NAME + 1)), "more than 32 characters");
  for (const name of ["a b", "a:b", "@all", "a\n", "a\x1b", "a\u202e", "<who>", "👍", "a/b"]) {
    assertEquals(invalidName(name), "use letters, digits, _ - .", JSON.stringify(name));
  }
  for (const name of ["e\u0301", "\u1100\u1161"]) {
    assertEquals(invalidName(name), "use composed characters (Unicode NFC)");
  }
});

test("a reserved word is reserved in any case, and only where it is", () => {
  for (const name of ["all", "ALL", "All"]) assertEquals(invalidName(name, "all"), "all is reserved");
  for (const name of ["broadcast", "BroadCast"]) assertEquals(invalidName(name, "BROADCAST"), "BROADCAST is reserved");
  assertEquals([invalidName("alles", "all"), invalidName("all")], [null, null]);
  assertEquals(invalidName("", "all"), "it is empty");
});

const bob: Known = { alias: "bob", remote: "10.0.0.5:10002", called: null };
const other: Known = { alias: null, remote: "10.0.0.5:40123", called: null };
const lab: Known = { alias: null, remote: "10.0.0.9:10002", called: { host: "lab.example", port: 10_002 } };
const six: Known = { alias: null, remote: "[fe80::1]:10002", called: null };
const carol: Known = { alias: "carol", remote: "[::1]:10002", called: { host: "::1", port: 10_002 } };
const everybody = [bob, other, lab, six, carol];

test("a connection is found by its alias, its address, host:port, or as it was called", () => {
  const cases: [who: string, known: Known][] = [
    ["bob", bob],
    ["10.0.0.5:10002", bob],
    ["10.0.0.5:40123", other],
    ["10.0.0.9", lab],
    ["10.0.0.9:10002", lab],
    ["lab.example", lab],
    ["lab.example:10002", lab],
    ["fe80::1", six],
    ["[fe80::1]", six],
    ["[fe80::1]:10002", six],
    ["carol", carol],
    ["::1", carol],
    ["[::1]", carol],
    ["[::1]:10002", carol],
  ];
  for (const [who, known] of cases) assertEquals(resolve(who, everybody), known, who);
});

test("an address with several connections is refused, and the choices are named", () => {
  const error = assertThrows(() => resolve("10.0.0.5", everybody), NetlabError);
  assertEquals(
    [error.kind, error.message, error.hint],
    ["usage", "10.0.0.5 has 2 connections", "say which: bob, 10.0.0.5:40123"],
  );
  assertEquals(resolve("10.0.0.5", [other, lab]), other, "alone it is no longer ambiguous");
});

test("whom nobody knows is refused, with what shows who there is", () => {
  for (const who of ["alice", "BOB", "10.0.0.5:1", "10.0.0", ":10002", "[10.0.0.9", "fe80", ""]) {
    const error = assertThrows(() => resolve(who, everybody), NetlabError);
    assertEquals([error.kind, error.message, error.hint], [
      "usage",
      `nobody is called ${who}`,
      "list shows who is connected",
    ]);
  }
  assertThrows(() => resolve("bob", []), NetlabError, "nobody is called bob");
});

test("two calls to one host and port, by name, are told apart by their addresses", () => {
  const again: Known = { ...lab, remote: "10.0.0.10:10002" };
  const error = assertThrows(() => resolve("lab.example:10002", [lab, again]), NetlabError);
  assertEquals(error.hint, "say which: 10.0.0.9:10002, 10.0.0.10:10002");
  assertEquals(resolve("10.0.0.10", [lab, again]), again);
});

test("an alias is preferred to an address that reads the same, and shown in its place", () => {
  const strange: Known = { alias: "10.0.0.9", remote: "10.0.0.7:1", called: null };
  assertEquals(resolve("10.0.0.9", [lab, strange]), strange);
  assertEquals([labelOf(strange), labelOf(lab)], ["10.0.0.9", "10.0.0.9:10002"]);
});

property("each of many connections is found by what shows it", 200, (random) => {
  const ports = new Set(Array.from({ length: random.int(1, 20) }, () => random.int(1, 65_535)));
  const known = [...ports].map((port, i): Known => ({
    alias: random.chance(0.4) ? `node${i}` : null,
    remote: `${random.pick(["127.0.0.1", "[::1]", "10.1.2.3"])}:${port}`,
    called: random.chance(0.5) ? { host: "localhost", port } : null,
  }));
  for (const one of known) {
    assertEquals(resolve(labelOf(one), known), one);
    assertEquals(resolve(one.remote, known), one);
  }
});
