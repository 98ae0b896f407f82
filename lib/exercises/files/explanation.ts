// What `netlab explain files` shows.

import type { Explanation } from "../exercise.ts";
import { FILE_NAME_RULES } from "../names.ts";
import { FORMS, HELLO_DIGEST, reply, SAMPLES } from "./protocol.ts";

export const explanation: Explanation = {
  samples: SAMPLES,
  wire: [
    `A request is a line. LIST, STAT and GET are answered with a line that begins with OK or ERROR; after GET's, exactly as`,
    `many bytes follow as it says, and then the next request is served. The digest is the SHA-256 of the whole file, in`,
    `hexadecimal; with an offset, GET gives the bytes from there to the end. A number at the end of a GET is an offset,`,
    `unless only the whole is the name of a file.`,
    ``,
    `Any other line is a bare file name, as the first clients of a course send it, with or without LF: the content follows,`,
    `and the connection ends. To a name of no file the answer is "Error: File not found"; to one that is refused, "Error: "`,
    `and why. With --wire raw the client, too, says nothing but a name, and takes what comes until the end.`,
    ``,
    `Names are those of plain files in the server's folder. What leads elsewhere is refused with 403: separators, "..",`,
    `links that lead out, devices. So is, and LIST does not show, what is no file name on every system:`,
    FILE_NAME_RULES,
  ].join("\n"),
  messages: [
    { form: "LIST", meaning: "OK and how many; then a line for each file: its size and its name" },
    { form: "STAT <name>", meaning: "OK, the size and the digest" },
    { form: "GET <name> [<offset>]", meaning: "OK, how many bytes follow and the digest; then the bytes" },
    { form: "<name>", meaning: "the bytes, and the end of the connection" },
    { form: "ERROR 400 …", meaning: "not a request, or an offset behind the end" },
    { form: "ERROR 403 …", meaning: "it may not be read" },
    { form: "ERROR 404 …", meaning: "there is no such file" },
    { form: "ERROR 500 …", meaning: "the file cannot be read" },
  ],
  typed: FORMS,
  dialogue: [
    { who: "C", text: "LIST" },
    { who: "S", text: reply.count(1) },
    { who: "S", text: reply.entry(6, "hello.txt") },
    { who: "C", text: "STAT hello.txt" },
    { who: "S", text: reply.file(6, HELLO_DIGEST) },
    { who: "C", text: "GET hello.txt" },
    { who: "S", text: reply.file(6, HELLO_DIGEST) },
    { who: "S", text: "hello" },
    { who: "C", text: "GET hello.txt 3" },
    { who: "S", text: reply.file(3, HELLO_DIGEST) },
    { who: "S", text: "lo" },
    { who: "C", text: "GET ../hello.txt" },
    { who: "S", text: reply.error(403, 'not a file name: "../hello.txt": it leads into another folder') },
    { who: "C", text: "GET nothing.txt" },
    { who: "S", text: reply.error(404, "no such file: nothing.txt") },
  ],
};
