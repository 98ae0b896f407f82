"""The calculator's first server: takes a caller, reads once, answers with one send, and closes.

Usage: calc_seed_server.py [PORT]    (prints the port that it listens on; runs until it is killed)
"""

import socket
import sys


def calculate(question):
    one, two, operator = question.split()
    if not operator in "+-*/%":
        two, operator = operator, two
    one, two = int(one), int(two)
    if operator == "+":
        return one + two
    if operator == "-":
        return one - two
    if operator == "*":
        return one * two
    if two == 0:
        return "Error: division by zero"
    return one / two if operator == "/" else one % two


server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    client.send(str(calculate(client.recv(1024).decode())).encode())
    client.close()
