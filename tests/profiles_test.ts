// The profiles of the courses' own wire formats: honest servers in their style pass, and what is really weak in them is found
// and named.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Check, exactly } from "../lib/exercises/check.ts";
import { exercises, findExercise } from "../lib/exercises/registry.ts";
import { chooseChecks, runGrading } from "../lib/grade/grading.ts";
import { applyProfile, parseProfile, type Profile } from "../lib/grade/profile.ts";
import { PROFILES } from "../lib/grade/profiles/mod.ts";
import { NetlabError } from "../lib/protocol/errors.ts";
import { temporaryFolder } from "./chat_helpers.ts";
import { netlab, ROOT } from "./cli_helpers.ts";
import { skipUnless, test } from "./helpers.ts";

const PYTHON = skipUnless("python3");

/** What is usually wrong, as the reports say it. */
const ONE_RECV = /takes one recv\(\) for one message/;
const LONG = /recv\(1024\) brings 1024 bytes at most/;
const BAD_TEXT = /not UTF-8 throw where they are decoded/;

/** A profile, a server in the style of its seed, and which checks it fails for which cause; in all others it has points. */
const FOLDER = /is put behind that of your folder/;
const SERVERS: readonly (readonly [profile: string, command: string, fails: Readonly<Record<string, RegExp>>])[] = [
  ["chat-seed", "chat_course_server.py {port}", { "a client takes a name": ONE_RECV }],
  ["messages-seed", "messages_seed_server.py {port}", {
    "a long message comes back whole": LONG,
    "bytes that are not UTF-8 harm nobody": BAD_TEXT,
  }],
  ["peer-seed", "peer_seed.py {port}", {
    "a second caller is told that the peer is busy, and sent away": /a second caller is taken, or left in the queue/,
  }],
  ["mesh-seed", "mesh_seed.py {port}", {}],
  ["calc-seed", "calc_seed_server.py {port}", {
    "what is no calculation is refused, and the server goes on": /what is no number throws/,
    "an unknown operator is refused, and the server goes on": /what is none of .* falls through every branch/,
    "a number of 20,000 digits harms nobody": /more than the buffer takes/,
    "a second client is served while the first stays": /serves one client at a time/,
    "bytes that are not UTF-8 harm nobody": BAD_TEXT,
  }],
  ["talk-seed", "talk_seed_server.py {port}", {
    "a long message is shown whole": LONG,
    "bytes that are not UTF-8 do not end the server": BAD_TEXT,
  }],
  ["multitalk-seed", "multitalk_seed_server.py {port}", { "a long message is shown whole": LONG }],
  ["files-seed", "files_seed_server.py {port}", { "nothing outside of the folder can be read (seed)": FOLDER }],
  ["stream-seed", "stream_seed_server.py {port}", {
    "the file is sent in real time: what is due at its end does not come at once (seed)": /as fast as it can be read/,
    "names that lead out of the folder are refused (seed)": FOLDER,
  }],
  ["transfer-seed", "transfer_seed_server.py {port} {dir}/got", {
    "seed: a chunk that comes in two pieces is acknowledged once": /what one recv\(100\) returns is taken for a chunk/,
  }],
  ["smtp-seed", "smtp_seed_server.py {port}", {
    "EHLO is answered with 250 (4.1.1.1)": ONE_RECV,
    "commands that come in one group are answered in order (RFC 2920 section 3.1)": ONE_RECV,
    "a second client is served while the first stays": /serves one client at a time/,
    "a client that vanishes in the middle of a message harms nobody": /recv\(\) returns nothing then/,
    "bytes that are not UTF-8 harm nobody": BAD_TEXT,
  }],
];

for (const [name, command, fails] of SERVERS) {
  test(`${name}: an honest server passes, and its weaknesses are found and named`, async () => {
    const profile = PROFILES[name];
    const report = await runGrading({
      exercise: findExercise(profile.exercise!)!,
      subject: { type: "server", command: `python3 ${ROOT}tests/peers/${command}` },
      cwd: temporaryFolder(),
      profile: { name, profile },
      port: null,
      seed: 1,
      timeoutMs: 4000,
      limitMs: 100_000,
    });
    const broken = report.checks.filter(({ failure }) => failure !== undefined);
    // A program that ends behind a check may have ended a moment too late for it, on a busy machine.
    const found = broken.map(({ name }) => name);
    const unexpected = broken.filter(({ name }) => !(name in fails));
    assertEquals(unexpected.map(({ name, failure }) => [name, failure!.way, failure!.step, failure!.got]), []);
    assert(found.length > 0 || Object.keys(fails).length === 0);
    for (const { name, failure } of broken) assertMatch(failure!.causes.join("\n"), fails[name]);
    assert(report.points >= report.maxPoints * 0.4, `${report.points} of ${report.maxPoints}`);
  }, PYTHON);
}

test(
  "files-seed: a client that asks for a file by its name, as the course's does, is told a name and nothing else",
  async () => {
    const cwd = temporaryFolder();
    Deno.writeTextFileSync(
      `${cwd}/client.py`,
      `import socket, sys
server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
server.sendall(input("Enter filename: ").encode())
while data := server.recv(1024):
    print(data.decode(), end="")
`,
    );
    const report = await runGrading({
      exercise: findExercise("files")!,
      subject: { type: "client", command: "python3 client.py {host} {port}" },
      cwd,
      profile: { name: "files-seed", profile: PROFILES["files-seed"] },
      ...{ port: null, ways: [], only: "a file is fetched (seed)", seed: 1, timeoutMs: 4000, limitMs: 30_000 },
    });
    assertEquals(report.checks.map(({ name, failure }) => [name, failure?.got]), [[
      "a file is fetched (seed)",
      undefined,
    ]]);
  },
  PYTHON,
);

for (const [name, profile] of Object.entries(PROFILES)) {
  test(`${name} speaks of checks and steps that there are`, async () => {
    const exercise = exercises.find((exercise) => exercise.name === profile.exercise);
    assert(exercise, profile.exercise);
    const grading = await exercise.grading();
    // Of the two kinds one may have nothing to check in that wire.
    const chosen = (["server", "client"] as const).flatMap((kind) => {
      const applies = (kind === "server" ? grading.checks : grading.clientChecks).some(({ wire, transports }) =>
        (wire === "seed") === (profile.wire === "seed") &&
        (transports ?? exercise.transports).includes(profile.transport ?? exercise.transports[0])
      );
      return applies ? chooseChecks(exercise, grading, kind, { profile: { name, profile } }).checks : [];
    });
    assert(chosen.length > 0);
  });
}

test("chat-seed: the course's lengths count characters, at both ends, so text that is not ASCII counts at neither", () => {
  for (const kind of ["server", "client"] as const) {
    const profile = { name: "chat-seed", profile: PROFILES["chat-seed"] };
    const { checks } = chooseChecks(findExercise("chat")!, chat, kind, { profile });
    assertEquals(checks.filter(({ name }) => name.includes("not ASCII")), [], kind);
  }
});

const chat = await findExercise("chat")!.grading();
const rejected = (text: string) => assertThrows(() => parseProfile(text, "p.json"), NetlabError).message;

test("what is no profile is said plainly", () => {
  assertMatch(rejected("{"), /^p\.json is no profile: /);
  assertEquals(rejected("[]"), "p.json is no profile: it is no JSON object");
  assertMatch(rejected('{"porst": 1}'), /^p\.json is no profile: "porst" is none of exercise, port/);
  assertEquals(rejected('{"port": "x"}'), 'p.json is no profile: "port" is not of the right form: "x"');
  assertMatch(rejected('{"constructor": 1}'), /^p\.json is no profile: "constructor" is none of exercise, port/);
  for (const points of ["-50", "1e999"]) {
    assertMatch(rejected(`{"points": {"it multiplies": ${points}}}`), /"points" is not of the right form/);
  }
  assertEquals(parseProfile('{"points": {"it multiplies": 0}}', "p.json").points, { "it multiplies": 0 });
  assertMatch(rejected('{"typed": {"HELO": []}}'), /"typed" is not of the right form/);
  assertMatch(rejected('{"sends": {"HELO": ["HELO", "^250"]}}'), /"sends" is not of the right form/);
  assertMatch(rejected('{"replies": {"the answer": "("}}'), /^p\.json is no profile: Invalid regular expression/);
  assertMatch(rejected('{"sends": {"HELO": ["HELO", "[", "LOGIN"]}}'), /Invalid regular expression/);
  assertEquals(parseProfile('\uFEFF{"port": 5}', "p.json"), { port: 5 });
  const unknown = assertThrows(() => applyProfile(chat.checks, { leaveOut: ["nothing"] }, "p.json"), NetlabError);
  assertEquals(unknown.message, 'p.json: no check is called "nothing"');
  const idle = assertThrows(() => applyProfile(chat.checks, { sends: { "JUMP $x": "HOP $x" } }, "p.json"), NetlabError);
  assertEquals(idle.message, 'p.json: no step says "JUMP $x"');
});

test("a profile is netlab's by the name that netlab gave it, and one that leaves out every check is wrong usage", async () => {
  const grade = (profile: string) => netlab(["grade", "chat", "--run", "true {port}", "--profile", profile]);
  for (const name of ["constructor", "valueOf"]) {
    const { status, err } = await grade(name);
    assertEquals([status, err.split(": ").slice(0, 2)], [2, ["netlab", `cannot read ${name}`]]);
  }
  const profile = `${temporaryFolder()}/course.json`;
  Deno.writeTextFileSync(profile, JSON.stringify({ leaveOut: chat.checks.map(({ name }) => name) }));
  assertEquals(await grade(profile), {
    ...{ status: 2, out: "", err: `netlab: ${profile} leaves out every check of a server\n` },
  });
});

test("a framing that there is not is wrong usage: the profile or the option, the value, and what there is", async () => {
  const folder = temporaryFolder();
  const profile = `${folder}/course.json`;
  const known = "line, len1, len2, len3, len4, len5, len6, len7, len8, raw";
  for (const wire of ["lines", "auto", "len9", "be8"]) {
    Deno.writeTextFileSync(profile, JSON.stringify({ wire }));
    const graded = await netlab(["grade", "calc", "--run", "true {port}", "--profile", profile]);
    assertEquals(graded, {
      ...{ status: 2, out: "" },
      err: `netlab: ${profile}: "wire" takes one of ${known}, not "${wire}"\n`,
    });
    const said = await netlab(["grade", "calc", "--list", "--wire", wire]);
    assertEquals([said.status, said.err], [2, `netlab: --wire takes one of ${known}, not "${wire}"\n`]);
  }
});

test("a profile rewrites what is sent and what counts, with the names in place", () => {
  const profile = {
    sends: { "NAME $who": "LOGIN <$who>", "MSG $to *": "SEND $to: *" },
    replies: { "a greeting that names $who": "^hi,? $who!$" },
    points: { "a client takes a name": 42 },
  };
  const [first, ...others] = applyProfile(chat.checks, profile, "p.json");
  assertEquals(first.points, 42);
  const texts = [first, ...others].flatMap(({ steps }) =>
    steps.flatMap((step) => step.do === "send" ? [step.text] : [])
  );
  assert(texts.includes("LOGIN <$alice>"));
  assert(texts.includes("SEND $bob: hi there"));
  const step = first.steps.find((step) => step.do === "expect")!;
  assert(step.do === "expect");
  const fill = (template: string) => template.replaceAll("$alice", "alicex");
  assert(step.what.matches("Hi alicex!", fill) && !step.what.matches("Hi alice!", fill));
});

test("a check that is left out is not there, and nobody needs it; one may be worth nothing", () => {
  const [first, second] = chat.checks;
  assertEquals(second.needs, [first.name]);
  const [now] = applyProfile(chat.checks, { leaveOut: [first.name], points: { [second.name]: 0 } }, "p.json");
  assertEquals([now.name, now.needs, now.points], [second.name, [], 0]);
});

test("what a client is told as it is started is words, and a list of them may have spaces", () => {
  const start = (typed: Profile["typed"]) => {
    const check: Check = {
      ...{ name: "it is told", points: 1 },
      steps: [{ do: "start", who: "client", words: ["ann@a", "bob@b", "At noon?"] }],
    };
    const [{ steps: [step] }] = applyProfile([check], { typed }, "p.json");
    return step.do === "start" ? step.words : null;
  };
  assertEquals(start({ "ann@a bob@b *": "-f ann@a -t bob@b" }), ["-f", "ann@a", "-t", "bob@b"]);
  assertEquals(start({ "ann@a bob@b *": ["-f", "ann@a", "-b", "*"] }), ["-f", "ann@a", "-b", "At noon?"]);
});

test("a profile rewrites what is typed, and what has to be to the letter has not where it says so", () => {
  const [{ steps }] = applyProfile(
    [{
      ...{ name: "it types", points: 1 },
      steps: [
        { do: "type", who: "node", text: "NAME $alice" },
        { do: "expect", who: "bob", what: exactly("hello") },
      ],
    }],
    { typed: { "NAME $me": ["I am", "$me"] }, replies: { '"hello"': "^(hi|hello)" } },
    "p.json",
  );
  const [typed, expected] = steps;
  assert(typed.do === "type" && expected.do === "expect");
  assertEquals([typed.text, expected.what.exactly], ["I am\n$alice", undefined]);
  assert(expected.what.matches("Hi there", (text) => text));
});
