"""A mail client by somebody else. Usage: smtp_sends.py HOST PORT FROM TO TEXT"""

import socket
import sys

host, port, sender, recipient, text = sys.argv[1:]
sock = socket.create_connection((host, int(port)))
stream = sock.makefile("rwb")


def hear():
    while True:
        line = stream.readline().decode("utf-8", "replace").rstrip("\r\n")
        print(line)
        if not line[:3].isdigit():
            sys.exit("the server says no more, or nonsense")
        if line[3:4] != "-":
            return int(line[:3])


def say(*lines):
    stream.write("".join(line + "\r\n" for line in lines).encode())
    stream.flush()
    return hear()


def ask(*lines):
    code = say(*lines)
    if code >= 400:
        say("QUIT")
        sys.exit(f"refused: {lines[-1]}: {code}")


if hear() != 220:
    say("QUIT")
    sys.exit("not wanted")
ask("EHLO client.example.org")
ask(f"MAIL FROM:<{sender}>")
ask(f"RCPT TO:<{recipient}>")
ask("DATA")
head = [f"From: <{sender}>", f"To: <{recipient}>", "Subject: hello", ""]
ask(*("." + line if line.startswith(".") else line for line in head + text.split("\n")), ".")
say("QUIT")
