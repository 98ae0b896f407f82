// The profiles that netlab brings along: the wire formats and words of the courses whose exercises it replaces.

import calcSeed from "./calc-seed.json" with { type: "json" };
import chatSeed from "./chat-seed.json" with { type: "json" };
import filesSeed from "./files-seed.json" with { type: "json" };
import meshSeed from "./mesh-seed.json" with { type: "json" };
import messagesSeed from "./messages-seed.json" with { type: "json" };
import multitalkSeed from "./multitalk-seed.json" with { type: "json" };
import peerSeed from "./peer-seed.json" with { type: "json" };
import smtpSeed from "./smtp-seed.json" with { type: "json" };
import streamSeed from "./stream-seed.json" with { type: "json" };
import talkSeed from "./talk-seed.json" with { type: "json" };
import transferSeed from "./transfer-seed.json" with { type: "json" };
import transferSeedUdp from "./transfer-seed-udp.json" with { type: "json" };
import { parseProfile, type Profile } from "../profile.ts";

/** By name, as in `--profile chat-seed`. */
export const PROFILES: Readonly<Record<string, Profile>> = Object.fromEntries(
  Object.entries({
    "calc-seed": calcSeed,
    "chat-seed": chatSeed,
    "files-seed": filesSeed,
    "mesh-seed": meshSeed,
    "messages-seed": messagesSeed,
    "multitalk-seed": multitalkSeed,
    "peer-seed": peerSeed,
    "smtp-seed": smtpSeed,
    "stream-seed": streamSeed,
    "talk-seed": talkSeed,
    "transfer-seed": transferSeed,
    "transfer-seed-udp": transferSeedUdp,
  }).map(([name, value]) => [name, parseProfile(JSON.stringify(value), name)]),
);
