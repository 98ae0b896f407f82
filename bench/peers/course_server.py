"""A chat server of the course's kind: one thread, one select, text as str, and a protocol file's two functions.

A message is read as such a file reads it: first the four digits of its length, then so many bytes; what is wrong in the
courses' own (half a message taken for a whole) is mended, nothing else. select_server.py is the same, written for speed.

Wire (len4): four decimal digits, then that many bytes of body, for example 0010NAME alice.
Usage: course_server.py PORT    (0 picks a free port; prints "listening PORT")
"""

import select
import socket
import sys

LENGTH_FIELD_SIZE = 4


def receive(sock, count):
    """Exactly so many bytes, or "" at the end of the stream."""
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            return ""
        data += part
    return data.decode()


def get_msg(sock):
    length = receive(sock, LENGTH_FIELD_SIZE)
    if not length.isdigit():
        return ""
    return receive(sock, int(length))


def create_msg(data):
    return (str(len(data.encode())).zfill(LENGTH_FIELD_SIZE) + data).encode()


def handle(sock, message, sockets, names):
    """The socket that is to be told something, and what."""
    command, _, rest = message.partition(" ")
    if command == "NAME":
        if not rest or " " in rest:
            return sock, "ERROR invalid name"
        if sockets.get(rest, sock) is not sock:
            return sock, "ERROR name taken: " + rest
        sockets.pop(names.get(sock), None)
        names[sock] = rest
        sockets[rest] = sock
        return sock, "HELLO " + rest
    if command == "GET_NAMES":
        return sock, " ".join(sockets)
    if command == "MSG":
        name, _, text = rest.partition(" ")
        if sock not in names:
            return sock, "ERROR choose a name first: NAME <name>"
        if name not in sockets:
            return sock, "ERROR no such user: " + name
        return sockets[name], f"{names[sock]} sent {text}"
    return sock, "ERROR unknown command: " + command


def main():
    server = socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), backlog=512)
    print("listening", server.getsockname()[1], flush=True)
    clients, sockets, names = [], {}, {}
    while True:
        for sock in select.select([server] + clients, [], [])[0]:
            if sock is server:
                client, _ = server.accept()
                clients.append(client)
                continue
            try:
                message = get_msg(sock)
                if message not in ("", "EXIT"):
                    to, answer = handle(sock, message, sockets, names)
                    to.sendall(create_msg(answer))
                    continue
            except (OSError, UnicodeDecodeError):
                pass
            clients.remove(sock)
            sockets.pop(names.pop(sock, None), None)
            sock.close()


main()
