"""A chat server as a course hands it out: select, four digits of length, and words of its own.

Usage: chat_course_server.py [PORT]    (prints the port that it listens on)

It greets before anything was asked, says "Hello alice" and "alice send hi", puts a space behind every name, answers neither
EXIT nor MSG, and dies of a frame that does not arrive in one piece: a client has to bear all of that.
"""

import select
import socket
import sys


def create_msg(data):
    return f"{len(data):04}{data}".encode()


def get_message(client):
    length = client.recv(4).decode()
    if length == "":
        return "EXIT"
    assert length.isdigit() and len(length) == 4, f"half a length: {length!r}"
    message = client.recv(int(length)).decode()
    assert len(message) == int(length), f"half a message: {message!r}"
    return message


def handle(client, message, names):
    command, _, rest = message.partition(" ")
    if command == "NAME":
        if rest in names:
            return client, "This name already exists"
        names[rest] = client
        return client, "Hello " + rest
    if command == "GET_NAMES":
        return client, "".join(name + " " for name in names)
    if command == "MSG":
        name, _, text = rest.partition(" ")
        sender = next((one for one, sock in names.items() if sock is client), None)
        if name not in names:
            return client, "The client does not exist"
        return names[name], f"{sender} send {text}"
    return client, "Invalid command"


def main():
    server = socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    print(server.getsockname()[1], flush=True)
    clients, names = [], {}
    while True:
        for sock in select.select([server, *clients], [], [])[0]:
            if sock is server:
                client, _ = server.accept()
                clients.append(client)
                client.sendall(create_msg("Welcome! You can use NAME, GET_NAMES, MSG and EXIT"))
                continue
            message = get_message(sock)
            print("got", repr(message), flush=True)
            if message == "EXIT":
                clients.remove(sock)
                for name in [name for name, one in names.items() if one is sock]:
                    del names[name]
                sock.close()
                continue
            to, answer = handle(sock, message, names)
            to.sendall(create_msg(answer))


main()
