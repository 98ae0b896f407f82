"""A chat server as a good student of the course writes it: one thread, one select, one sendall per message.

Wire (len4): four decimal digits, then that many bytes of body, for example b"0010NAME alice".
Usage: select_server.py PORT    (0 picks a free port; prints "listening PORT")
"""

import select
import socket
import sys

LENGTH_DIGITS = 4
MAX_BODY = 1024
READ_BYTES = 65536
MAX_DESCRIPTOR = 1023  # select() cannot watch more


class Client:
    def __init__(self, sock):
        self.sock = sock
        self.name = None
        self.buffer = b""


class ChatServer:
    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.clients = {}  # socket -> Client
        self.names = {}  # name -> Client, in the order they came

    def run(self):
        while True:
            readable, _, _ = select.select([self.listener, *self.clients], [], [])
            for sock in readable:
                if sock is self.listener:
                    self.accept()
                elif client := self.clients.get(sock):  # may have been dropped earlier in this round
                    self.read(client)

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return  # the caller gave up first
        if sock.fileno() > MAX_DESCRIPTOR:
            sock.close()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.clients[sock] = Client(sock)

    def read(self, client):
        try:
            data = client.sock.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self.drop(client)
            return
        data = client.buffer + data
        start, end = 0, len(data)
        while end - start >= LENGTH_DIGITS:
            body_start = start + LENGTH_DIGITS
            digits = data[start:body_start]
            if not digits.isdigit():
                self.send(client, b"ERROR the length must be four digits")
                self.drop(client)
                return
            body_end = body_start + int(digits)
            if body_end > end:
                break
            self.handle(client, data[body_start:body_end])
            if client.sock not in self.clients:
                return
            start = body_end
        client.buffer = data[start:]

    def handle(self, client, body):
        command, _, rest = body.partition(b" ")
        command = command.upper()
        if len(body) > MAX_BODY:
            self.send(client, b"ERROR message too long")
        elif command == b"MSG":
            self.message(client, rest)
        elif command == b"NAME":
            self.rename(client, rest)
        elif command == b"GET_NAMES":
            self.send(client, b" ".join(self.names))
        elif command == b"EXIT":
            self.send(client, b"EXIT")
            self.drop(client)
        else:
            self.send(client, b"ERROR unknown command: " + command)

    def message(self, sender, rest):
        name, _, text = rest.partition(b" ")
        if sender.name is None:
            self.send(sender, b"ERROR choose a name first: NAME <name>")
        elif receiver := self.names.get(name):
            self.send(receiver, b"%b sent %b" % (sender.name, text))
        else:
            self.send(sender, b"ERROR no such user: " + name)

    def rename(self, client, name):
        if not 1 <= len(name) <= 32 or b" " in name:
            self.send(client, b"ERROR invalid name")
        elif self.names.get(name, client) is not client:
            self.send(client, b"ERROR name taken: " + name)
        else:
            self.names.pop(client.name, None)
            client.name = name
            self.names[name] = client
            self.send(client, b"HELLO " + name)

    def send(self, client, body):
        try:
            client.sock.sendall(b"%04d%b" % (len(body), body))
        except OSError:
            self.drop(client)

    def drop(self, client):
        if self.clients.pop(client.sock, None):
            self.names.pop(client.name, None)
            client.sock.close()


def main():
    server = ChatServer(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print("listening", server.port, flush=True)
    try:
        server.run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
