"""A file server by somebody else: LIST, STAT, GET and bare names, as `netlab explain files` has them, and a thread a client.

Usage: files_threads.py PORT DIR
"""

import hashlib
import os
import re
import socket
import sys
import threading

folder = sys.argv[2]


def read(name):
    if os.path.basename(name) != name or name in (".", ".."):
        return None, "403 not a file of this folder"
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read(), None
    except OSError:
        return None, "404 no such file"


def answer(line):
    """What is sent, and whether the connection goes on."""
    try:
        line = line.decode()
    except UnicodeDecodeError:
        return b"ERROR 400 not UTF-8\n", True
    word, _, rest = line.partition(" ")
    if line == "LIST":
        names = sorted(os.listdir(folder))
        sizes = [os.path.getsize(os.path.join(folder, name)) for name in names]
        return "".join([f"OK {len(names)}\n", *(f"{size} {name}\n" for size, name in zip(sizes, names))]).encode(), True
    if word not in ("STAT", "GET"):
        content, error = read(line)
        return (content if error is None else b"Error: File not found"), False
    match = re.fullmatch(r"(.*) (\d+)", rest) if word == "GET" else None
    name, offset = (match[1], int(match[2])) if match else (rest, 0)
    content, error = read(name)
    if error is None and offset > len(content):
        error = "400 behind the end"
    if error is not None:
        return f"ERROR {error}\n".encode(), True
    size, digest = len(content) - offset, hashlib.sha256(content).hexdigest()
    return f"OK {size} {digest}\n".encode() + (content[offset:] if word == "GET" else b""), True


def serve(client):
    try:
        with client, client.makefile("rb") as stream:
            for line in stream:
                reply, goes_on = answer(line.rstrip(b"\r\n"))
                client.sendall(reply)
                if not goes_on:
                    break
    except OSError:
        pass


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
