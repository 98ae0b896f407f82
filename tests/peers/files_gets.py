"""A client of the file server by somebody else. Usage: files_gets.py HOST PORT get NAME | list"""

import hashlib
import socket
import sys

host, port, word, *names = sys.argv[1:]
sock = socket.create_connection((host, int(port)))
stream = sock.makefile("rwb")
stream.write((f"GET {names[0]}" if word == "get" else "LIST").encode() + b"\n")
stream.flush()
answer = stream.readline().decode("utf-8", "replace").rstrip()
status, *words = answer.split()
if status != "OK":
    sys.exit(answer)
if word == "list":
    for _ in range(int(words[0])):
        print(stream.readline().decode().rstrip())
else:
    content = stream.read(int(words[0]))
    if len(content) < int(words[0]):
        sys.exit(f"only {len(content)} of {words[0]} bytes came")
    if hashlib.sha256(content).hexdigest() != words[1]:
        sys.exit("the digest is wrong")
    print(names[0], "received,", len(content), "bytes")
