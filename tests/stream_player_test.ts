// Other people's programs: ffmpeg makes media and decodes what was kept, ffplay plays a stream to its end, and netlab as a
// process of its own pipes one.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { temporaryFolder } from "./chat_helpers.ts";
import { Program, runProgram } from "./cli_helpers.ts";
import { skipIf, skipUnless, skipUnlessSh, skipUnlessSignals, test } from "./helpers.ts";
import { makeWav, receive, Relay, StreamServer } from "./stream_helpers.ts";

const ffmpeg = skipUnless("ffmpeg");
const ffplay = skipUnless("ffplay");

/** Kinds of media, and how ffmpeg makes a second and a half of each. */
const KINDS: Readonly<Record<string, string>> = {
  "a.mp3": "-f lavfi -i sine=duration=1.5",
  "a.ogg": "-f lavfi -i sine=duration=1.5",
  "a.flac": "-f lavfi -i sine=duration=1.5 -ar 8000",
  "a.mp4": "-f lavfi -i testsrc=duration=1.5:size=64x64:rate=10 -f lavfi -i sine=duration=1.5 -c:v mpeg4 -c:a aac",
  "a.mkv": "-f lavfi -i testsrc=duration=1.5:size=64x64:rate=10 -f lavfi -i sine=duration=1.5 -c:v mpeg4 -c:a aac",
  "a.webm": "-f lavfi -i testsrc=duration=1.5:size=64x64:rate=10 -c:v libvpx",
  "a.ts": "-f lavfi -i testsrc=duration=1.5:size=64x64:rate=10 -f lavfi -i sine=duration=1.5 -c:v mpeg2video -c:a mp2",
};

async function run(program: string, words: string, env: Record<string, string> = {}): Promise<string> {
  const { status, err } = await runProgram(words, { command: [program], env });
  assertEquals(status, 0, err);
  return err;
}

test(
  "ffmpeg decodes what --out kept, which is the source to the bit: mp3, ogg, flac, mp4, mkv, webm, mpeg-ts, wav",
  async () => {
    const made: Record<string, Uint8Array> = { "a.wav": makeWav(1.5) };
    const dir = temporaryFolder();
    for (const [name, words] of Object.entries(KINDS)) {
      await run("ffmpeg", `-v error -y ${words} ${dir}/${name}`);
      made[name] = Deno.readFileSync(`${dir}/${name}`);
    }
    await using server = await StreamServer.start(made);
    await Promise.all(
      Object.entries(made).map(async ([name, bytes]) => {
        const out = `${dir}/out-${name}`;
        const begun = performance.now();
        const { notes } = await receive(server.port, name, { out });
        assert(performance.now() - begun > 900, `${name} came sooner than it can be played: ${notes}`);
        assertEquals(Deno.readFileSync(out), bytes, name);
        // Its duration was read from the file, give or take what encoders add.
        assertMatch(notes.join(), / 0:01, /, name);
        assertEquals(await run("ffmpeg", `-v error -i ${out} -f null -`), "", name);
      }),
    );
  },
  ffmpeg,
);

test("ffplay plays a stream to its end, without a screen", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(1.5) });
  const line = `connect stream 127.0.0.1:${server.port} a.wav --play ffplay --json`;
  const begun = performance.now();
  const { status, out, err } = await runProgram(line, { env: { SDL_AUDIODRIVER: "dummy" } });
  assertEquals(status, 0, err);
  assertEquals(JSON.parse(out).missing, 0);
  assert(performance.now() - begun > 1500);
  await server.console.shows("played to its end");
}, ffplay);

/** Players that write the samples they play to a file, if they are told so in a folder of settings. */
const WRITERS: Readonly<Record<string, { readonly file: string; readonly settings: (out: string) => string }>> = {
  mpv: { file: "mpv.conf", settings: (out) => `ao=pcm\nao-pcm-file=${out}\nao-pcm-waveheader=no\n` },
  vlc: {
    file: "vlc/vlcrc",
    settings: (out) => `[core]\naout=afile\n[afile]\naudiofile-file=${out}\naudiofile-format=s16\naudiofile-wav=0\n`,
  },
};

/**
 * A folder with a program of that name, for PATH, which plays into `out`. vlc does not run as root: then it is nobody's.
 */
function writer(name: string, dir: string, out: string): string {
  const { file, settings } = WRITERS[name];
  Deno.mkdirSync(`${dir}/vlc`);
  Deno.writeTextFileSync(`${dir}/${file}`, settings(out));
  const path = Deno.env.get("PATH")!;
  const nobody = Deno.uid() === 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "";
  const lines = ["#!/bin/sh", `export PATH='${path}' HOME='${dir}' XDG_CONFIG_HOME='${dir}' MPV_HOME='${dir}'`];
  Deno.mkdirSync(`${dir}/bin`);
  Deno.writeTextFileSync(`${dir}/bin/${name}`, [...lines, `exec ${nobody} ${name} "$@"`, ""].join("\n"));
  Deno.chmodSync(`${dir}/bin/${name}`, 0o755);
  Deno.chmodSync(dir, 0o777);
  return `${dir}/bin:${path}`;
}

for (const name of Object.keys(WRITERS)) {
  test(`${name} plays every sample of a stream, to its end, without a screen`, async () => {
    const wav = makeWav(1.5);
    await using server = await StreamServer.start({ "a.wav": wav });
    const dir = temporaryFolder();
    const env = { PATH: writer(name, dir, `${dir}/samples`) };
    const line = `connect stream 127.0.0.1:${server.port} a.wav --play ${name} --json`;
    const { status, out, err } = await runProgram(line, { env });
    assertEquals(status, 0, err);
    assertEquals(JSON.parse(out).missing, 0);
    assertEquals(Deno.readFileSync(`${dir}/samples`), wav.subarray(44));
  }, Deno.build.os === "windows" ? skipIf("Windows runs no shell scripts") : skipUnless(name));
}

test("ffplay goes on through 5 % loss and reordering", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(2, 44_100) });
  await using relay = new Relay(server.port, { loss: 0.05, reorder: 0.2, reorderMs: 100 }, 11);
  const line = `connect stream 127.0.0.1:${relay.port} a.wav --play ffplay --json`;
  const { status, out, err } = await runProgram(line, { env: { SDL_AUDIODRIVER: "dummy" } });
  assertEquals(status, 0, err);
  const { lost, skipped, missing } = JSON.parse(out);
  assertEquals(lost, relay.lost);
  assert(lost > 0 && missing > 0 && skipped <= missing);
}, ffplay);

test("--play auto says what it found", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(0.5) });
  const line = `connect stream 127.0.0.1:${server.port} a.wav`;
  const { status, err } = await runProgram(line, { env: { SDL_AUDIODRIVER: "dummy" } });
  assertEquals(status, 0, err);
  assertStringIncludes(err, "plays with ffplay\n");
}, ffplay);

test("an MP4 that ffplay cannot play as it comes is no endless wait, and it is said what to do", async () => {
  const path = `${temporaryFolder()}/a.mp4`;
  const words = "-f lavfi -i testsrc2=duration=1:size=320x240:rate=25 -f lavfi -i sine=duration=1 -c:v mpeg4 -q:v 1";
  await run("ffmpeg", `-v error -y ${words} -c:a aac ${path}`);
  await using server = await StreamServer.start({ "a.mp4": Deno.readFileSync(path) });
  const line = `connect stream 127.0.0.1:${server.port} a.mp4 --play ffplay`;
  const { status, err } = await runProgram(line, { env: { SDL_AUDIODRIVER: "dummy", SDL_VIDEODRIVER: "dummy" } });
  assertEquals(status, 3, err);
  assertMatch(err, /^netlab: ffplay could not play it: the index of this MP4 is at its end; ffmpeg .*\+faststart/m);
}, ffplay);

test("where ffplay finds no device for sound, it is said that nothing was played", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(1.5) });
  const line = `connect stream 127.0.0.1:${server.port} a.wav --play ffplay`;
  const env = { SDL_AUDIODRIVER: "disk", SDL_DISKAUDIOFILE: `${temporaryFolder()}/not/there` };
  const { status, err } = await runProgram(line, { env });
  assertEquals(status, 3, err);
  assertMatch(err, /^netlab: ffplay could not play it: .*audio open failed$/m);
}, ffplay);

// vlc mostly says nothing of it, and ends well.
for (const [name, words] of [["ffplay", "Invalid data found"], ["mpv", "Failed to recognize file format"]]) {
  test(`what ${name} cannot play is said, in its own words`, async () => {
    await using server = await StreamServer.start({ "a.wav": new Uint8Array(3000).fill(0x61) });
    const line = `connect stream 127.0.0.1:${server.port} a.wav --play ${name}`;
    const { status, err } = await runProgram(line, { env: { SDL_AUDIODRIVER: "dummy", SDL_VIDEODRIVER: "dummy" } });
    assertEquals(status, 3, err);
    assertMatch(err, new RegExp(`^netlab: ${name} could not play it: .*${words}`, "m"));
  }, skipUnless(name));
}

test("where a player cannot play the middle of a file, it is said what to do", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(1) });
  const line = `connect stream 127.0.0.1:${server.port} a.wav --start 0.5s --play ffplay`;
  const { status, err } = await runProgram(line, { env: { SDL_AUDIODRIVER: "dummy" } });
  assertEquals(status, 3, err);
  assertMatch(
    err,
    /ffplay could not play it: .*: most files cannot be played without their beginning: leave out --start/,
  );
}, ffplay);

test("without a player, it is said how to get one", async () => {
  const { status, err } = await runProgram("connect stream 127.0.0.1:9 a.wav --play mpv", {
    env: { PATH: "/nonexistent" },
  });
  assertEquals(status, 2);
  assertMatch(
    err,
    /^netlab: mpv is not installed: install one \(ffplay comes with ffmpeg: .*\), or keep the stream with --out FILE$/m,
  );
});

test("--out - is the stream and nothing else", async () => {
  const wav = makeWav(1);
  await using server = await StreamServer.start({ "a.wav": wav });
  const folder = temporaryFolder();
  const command = ["sh", "-c", `${JSON.stringify(Deno.execPath())} run --quiet -P main.ts "$@" > ${folder}/out`, "sh"];
  const { status, err } = await runProgram(`connect stream 127.0.0.1:${server.port} a.wav --out -`, { command });
  assertEquals(status, 0, err);
  assertEquals(Deno.readFileSync(`${folder}/out`), wav);
  assertMatch(err, /^received a\.wav: 16044 bytes/m);
}, skipUnlessSh());

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`at ${signal} a client that is no terminal's says goodbye, too`, async () => {
    await using server = await StreamServer.start({ "a.wav": makeWav(120) });
    const out = `${temporaryFolder()}/out`;
    await using client = new Program(`connect stream 127.0.0.1:${server.port} a.wav --out ${out}`);
    await client.err.line(); // what it is: it plays
    client.signal(signal);
    assertEquals((await client.result()).status, 130);
    await server.console.shows("(it left)");
    assert(server.clientCount === 0);
  }, skipUnlessSignals());
}
