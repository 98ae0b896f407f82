// What one mistake or another usually comes to, whatever the exercise: sentences for the student, with what to do.

export const CAUSES = {
  oneRecv:
    "your program takes one recv() for one message. TCP carries bytes: a message may come in pieces. Collect what " +
    "comes in a buffer, and take a message out of it when it is whole",
  joined:
    "your program takes one recv() for one message. TCP carries bytes: two messages may come in one piece. Keep what is " +
    "behind the first in a buffer: it is the next",
  ended: "your program ended in the middle, probably by an exception: what it printed last says where",
  silence:
    "nothing came. Either the program waits for more bytes, as when it expects another framing, or it is busy with " +
    "another connection, or it never sends this",
  unframed:
    "what came is no whole message: look at its end, or its beginning. With --wire line every message ends with a newline " +
    "(\\n); if your program frames in another way, say so with --wire",
  hungUp: "the connection was ended where it should go on: a function that serves a client returned or threw",
  oneAtATime:
    "your server serves one client at a time: while one is connected, the others wait. Serve each in a thread " +
    "of its own, or all of them with select",
  characters:
    "your program counts characters where the length counts bytes: é is one character and two bytes. Encode " +
    "first, and count then",
} as const;
