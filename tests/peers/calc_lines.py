"""A calculator as its page asks for one: a thread a client, a line a question; and a client for it.

Usage: calc_lines.py PORT          (server)
       calc_lines.py HOST PORT     (client: questions from standard input, a line each)
"""

import socket
import sys
import threading

OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b if a % b == 0 else a / b,
    "%": lambda a, b: a % b,
}


def answer(question):
    try:
        left, operator, right = question.split()
        return str(OPERATIONS[operator](int(left), int(right)))
    except ZeroDivisionError:
        return "Error: division by zero"
    except (KeyError, ValueError):
        return "Error: two integers and an operator, please"


def serve(client):
    with client, client.makefile("r", errors="replace") as questions:
        for question in questions:
            client.sendall((answer(question) + "\n").encode())


if len(sys.argv) == 2:
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()

with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as sock, sock.makefile("r", errors="replace") as answers:
    for line in sys.stdin:
        sock.sendall(line.encode())
        result = answers.readline()
        if result == "":
            sys.exit("the server is gone")
        print(result, end="", flush=True)
