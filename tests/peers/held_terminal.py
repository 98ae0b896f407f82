"""Runs a program in a terminal of its own that is read up to the program's prompt, and no further.

Usage: held_terminal.py PROGRAM ARGS...   Its process, what was read, and in the end its status are printed.

Lines of standard input: "type" presses the keys that follow it, "read" reads on, up to the text that follows it if there
is one, "close" closes the terminal.
"""

import os
import pty
import sys
import threading

process, terminal = pty.fork()
if process == 0:
    os.execvp(sys.argv[1], sys.argv[1:])


def read(end):
    """Copies what the program shows until that contains `end`, or the program has ended."""
    shown = b""
    while end is None or end not in shown:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            return
        os.write(1, more)
        if end is not None:
            shown += more


def read_up_to(text):
    read(text.encode())
    print("\nheld", flush=True)


print(f"process {process}", flush=True)
read_up_to("> ")
for line in sys.stdin:
    word, _, text = line.rstrip("\n").partition(" ")
    if word == "type":
        os.write(terminal, text.encode())
    elif word == "read" and text:
        read_up_to(text)
    elif word == "read":
        threading.Thread(target=read, args=[None]).start()
    elif word == "close":
        os.close(terminal)
print(f"status {os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}", flush=True)
