"""A chat client of a course with two digits of length: it asks, and then waits for one answer.

Usage: chat_len2_client.py PORT    (commands from standard input, a line each; an empty one just waits for a message)
"""

import socket
import sys


def receive_exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def main():
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
        for line in sys.stdin:
            command = line.rstrip("\n").encode()
            if command:
                # The length and the message go out apart: a server may read one without the other.
                sock.sendall(b"%02d" % len(command))
                sock.sendall(command)
                if command.startswith(b"MSG"):
                    continue
            try:
                print(receive_exactly(sock, int(receive_exactly(sock, 2))).decode(), flush=True)
            except EOFError:
                print("the server is gone", flush=True)
                return


main()
