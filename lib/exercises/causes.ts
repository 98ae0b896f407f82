// What one mistake or another usually comes to, whatever the exercise: sentences for the student, with what to do.

export const CAUSES = {
  oneRecv:
    "your program takes one recv() for one message. TCP carries bytes: a message may come in pieces. Collect what " +
    "comes in a buffer, and take a message out of it when it is whole",
  joined:
    "your program takes one recv() for one message. TCP carries bytes: two messages may come in one piece. Keep what is " +
    'behind the first in a buffer: it is the next (in Python, makefile("rw") loses it when it writes: use one file to ' +
    "read and one to write)",
  ended: "your program ended in the middle, probably by an exception: what it printed last says where",
  endedBefore: "your program ended before it could be called, or call: what it printed last says why",
  prints:
    "your program prints without end. Where that is in a loop over recv(), leave it when recv() returns nothing: the other " +
    "has ended the connection then",
  callsNobody:
    "your program called nobody at the host and port of its command line: take both from there. A client with a port of " +
    "its own is graded with --port. Or it waits for more than was typed: what it printed last may say for what. What it " +
    "asks for first --client can answer: bash -c 'your client < <(echo a; echo b; cat)'; and where it asks for each part of " +
    'what is typed, a profile can: "typed": {"7 * 6": "7\\n6\\n*"}',
  silence:
    "nothing came. Either the program waits for more bytes, as when it expects another framing, or it is busy with " +
    "another connection, or it never sends this",
  unframed:
    "what came is no whole message: look at its end, or its beginning. With --wire line every message ends with a newline " +
    "(\\n); if your program frames in another way, say so with --wire",
  hungUp: "the connection was ended where it should go on: a function that serves a client returned or threw",
  onlyOne:
    "your program ended in good order where it was still needed: when a client has gone, go back to accept() for the next",
  oneAtATime:
    "your server serves one client at a time: while one is connected, the others wait. Serve each in a thread " +
    "of its own, or all of them with select",
  characters:
    "your program counts characters where the length counts bytes: é is one character and two bytes. Encode " +
    "first, and count then",
  buffer:
    "recv(1024) brings 1024 bytes at most: what is longer comes in pieces. Read on until the message is whole, and " +
    "take no piece of it for a message",
  datagram:
    "recvfrom(1024) brings 1024 bytes at most, and what the datagram has beyond that is lost: ask for as many as one may " +
    "have (65535)",
  text:
    "text becomes bytes, or bytes text, by something other than UTF-8, or piece by piece where a character may lie " +
    "across two: say UTF-8 in both directions, and decode whole messages",
  badText:
    "bytes that are not UTF-8 throw where they are decoded, and nobody catches it: that costs more than this client",
  cut:
    "a client that goes without a word is more than its own end: recv() returns nothing then, or throws, as sending " +
    "does. Look and catch where one client is served, close its connection, and go on with the others",
  says: "what is typed is not sent as it is, or not as a message of its own",
  saysAtOnce:
    "what is typed is not sent as it is, or not as a message of its own; or the program waits for an answer before it reads " +
    "the keyboard again: nobody owes it one",
  shows:
    "what comes is only looked at when something is typed or asked: read the keyboard and the socket at the same " +
    "time (select, or a thread)",
  ends:
    "the end of a connection is taken for the end of the program: recv() returns nothing then, and throws where the " +
    "other has vanished (in Python: ConnectionResetError). Catch that, forget the connection, and go on",
  refused:
    "connect() throws when nobody listens there (in Python: ConnectionRefusedError): catch it, say so, and go on",
  leaves:
    "the end of the connection is not looked at, or ends one thread only: recv() returns nothing then, again and again. " +
    "Leave the loop, and end the whole program",
  badAnswer: "bytes that are not UTF-8 throw where they are decoded, and nobody catches it: show what can be shown " +
    '(in Python: decode("utf-8", "replace"))',
} as const;
