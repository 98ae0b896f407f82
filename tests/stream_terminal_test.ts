// The client on a real terminal: a line that lives, and keys.

import { assert } from "@std/assert";
import { makeWav, StreamServer } from "./stream_helpers.ts";
import { test } from "./helpers.ts";
import { needsTmux, Screen } from "./terminal_helpers.ts";

test("space pauses, an arrow seeks, space goes on, q quits and leaves the terminal as it was", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(120) });
  const line = `connect stream 127.0.0.1:${server.port} a.wav --play none`;
  await using screen = await Screen.run(line, { columns: 80 });
  await screen.shows(/^space pauses, ← → seek by 10 s, ↑ ↓ by a minute, q quits$/);
  await screen.shows(/ % {2}buffer \d+ ms {2}0:0\d of 2:00 {2}lost 0 {2}jitter/);
  await screen.press("Space");
  await screen.shows(/ % {2}paused {2}/);
  await screen.press("Right");
  await screen.shows(/ paused {2}0:1\d of 2:00 /);
  await screen.press("Up");
  await screen.shows(/ paused {2}1:1\d of 2:00 /);
  await screen.press("Space");
  await screen.shows(/ buffer [1-9]\d* ms /);
  await screen.type("q");
  await screen.shows(/^received a\.wav: /);
  await screen.endsWith("status 0", "echo icanon isig");
  await server.console.shows("(it left)");
}, needsTmux());

test("Ctrl-C ends it with a goodbye, and leaves the terminal as it was", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(120) });
  const line = `connect stream 127.0.0.1:${server.port} a.wav --play none`;
  await using screen = await Screen.run(line, { columns: 110 });
  await screen.shows(/ buffer [1-9]\d* ms /);
  await screen.press("C-c");
  await screen.endsWith("space pauses, ← → seek by 10 s, ↑ ↓ by a minute, q quits", "status 130", "echo icanon isig");
  await server.console.shows("(it left)");
}, needsTmux());

test("in a window that has become narrower the live line still is one", async () => {
  await using server = await StreamServer.start({ "a.wav": makeWav(120) });
  await using screen = await Screen.run(`connect stream 127.0.0.1:${server.port} a.wav --play none`, { columns: 110 });
  await screen.shows(/ buffer [1-9]\d* ms /);
  await screen.resize(60, 14);
  await screen.press("Up");
  await screen.shows(/ 1:0\d of 2:00( |$)/);
  await screen.press("Down");
  await screen.shows(/ 0:0\d of 2:00( |$)/);
  const rows = await screen.rows();
  assert(!rows.some((row) => /jitter|kbit/.test(row)), rows.join("\n"));
}, needsTmux());

test("q ends a player that is still at what it has, too", async () => {
  // All of it comes within a second, and it takes a minute to play.
  await using server = await StreamServer.start({ "a.wav": makeWav(60) }, { rate: 1_000_000 });
  const line = `connect stream 127.0.0.1:${server.port} a.wav --play ffplay`;
  await using screen = await Screen.run(line, { columns: 110, env: { SDL_AUDIODRIVER: "dummy" } });
  await screen.shows(/^all has come; what is left is being played$/);
  await screen.type("q");
  await screen.shows(/^received a\.wav: /);
  await screen.endsWith("status 0", "echo icanon isig");
}, needsTmux("ffplay"));
