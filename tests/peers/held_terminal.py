"""Runs a program in a terminal of its own that is read up to the program's prompt, and no further.

Usage: held_terminal.py PROGRAM ARGS...   Its process, what was read, and in the end its status are printed.

Lines of standard input: "type" presses the keys that follow it, "read" reads on, "close" closes the terminal.
"""

import os
import pty
import sys
import threading

process, terminal = pty.fork()
if process == 0:
    os.execvp(sys.argv[1], sys.argv[1:])


def read(enough):
    """Copies what the program shows until that is enough, or it has ended."""
    shown = b""
    while not enough(shown):
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            return
        os.write(1, shown)


print(f"process {process}", flush=True)
read(lambda shown: b"> " in shown)
print("\nheld", flush=True)
for line in sys.stdin:
    word, _, keys = line.rstrip("\n").partition(" ")
    if word == "type":
        os.write(terminal, keys.encode())
    elif word == "read":
        threading.Thread(target=read, args=[lambda _: False]).start()
    elif word == "close":
        os.close(terminal)
print(f"status {os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}", flush=True)
