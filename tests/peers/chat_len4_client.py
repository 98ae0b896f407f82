"""A chat client as a course teaches it: four digits of length, then the message.

Usage: chat_len4_client.py PORT    (commands from standard input, a line each)

Like many of its kind it counts characters, not bytes, and takes it for granted that one recv brings all it asked for.
"""

import select
import socket
import sys

LENGTH_FIELD_SIZE = 4


def create_msg(data):
    return (str(len(data)).zfill(LENGTH_FIELD_SIZE) + data).encode()


def get_message(my_socket):
    length = my_socket.recv(LENGTH_FIELD_SIZE).decode()
    if not length.isdigit():
        return False, ""
    return True, my_socket.recv(int(length)).decode()


def main():
    my_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    my_socket.connect(("127.0.0.1", int(sys.argv[1])))
    print("Enter commands", flush=True)
    while True:
        readable, _, _ = select.select([my_socket, sys.stdin], [], [])
        if my_socket in readable:
            valid, message = get_message(my_socket)
            if not valid:
                print("Disconnected", flush=True)
                break
            print("Server says:", message, flush=True)
            if message == "EXIT":
                break
        elif sys.stdin in readable:
            line = sys.stdin.readline()
            if line == "":
                break
            my_socket.send(create_msg(line.rstrip("\n")))
    my_socket.close()


main()
