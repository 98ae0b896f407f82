"""A mail server by somebody else: a thread a client, a line a command, and what comes kept in a list.

Usage: smtp_threads.py PORT
"""

import re
import socket
import sys
import threading

mails = []


def serve(client):
    stream = client.makefile("rwb")

    def say(text):
        stream.write(text.encode() + b"\r\n")
        stream.flush()

    def content():
        lines = []
        while (line := stream.readline()) != b".\r\n" or (lines and not lines[-1].endswith(b"\r\n")):
            if not line:
                return None
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    say("220 mail.example.org ESMTP")
    hello, sender, recipients = False, None, []
    while line := stream.readline():
        line = line.decode("utf-8", "replace").rstrip("\r\n")
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        path = re.fullmatch(r"(?:FROM|TO): ?<([!-=?-~]*)>", rest, re.IGNORECASE)
        if verb == "QUIT":
            say("221 goodbye")
            break
        elif verb in ("EHLO", "HELO"):
            hello, sender, recipients = True, None, []
            say("250 mail.example.org")
        elif verb == "NOOP":
            say("250 fine")
        elif verb == "VRFY":
            say("252 send mail, and see")
        elif verb == "RSET":
            sender, recipients = None, []
            say("250 forgotten")
        elif verb == "MAIL" and (not hello or sender is not None):
            say("503 not now")
        elif verb == "MAIL":
            sender = path and path[1]
            say("250 fine" if path else "501 MAIL FROM:<address>")
        elif verb == "RCPT" and sender is None:
            say("503 MAIL first")
        elif verb == "RCPT":
            if path and path[1]:
                recipients.append(path[1])
            say("250 fine" if path and path[1] else "501 RCPT TO:<address>")
        elif verb == "DATA" and not recipients:
            say("503 RCPT first")
        elif verb == "DATA":
            say("354 go ahead")
            mail = content()
            if mail is None:
                break
            mails.append((sender, recipients, mail))
            sender, recipients = None, []
            say("250 taken")
        else:
            say("500 what?")
    client.close()


def safely(client):
    try:
        serve(client)
    except OSError:
        client.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    threading.Thread(target=safely, args=(client,), daemon=True).start()
