"""Lockstep chat as its page asks for it: a line is a message, either end keeps the turns, and a second caller is told so.

Usage: talk_lines.py PORT          (server: prints what comes; answers with lines from standard input)
       talk_lines.py HOST PORT     (client: lines from standard input, each behind the reply to the last)
"""

import queue
import socket
import sys
import threading


def serve(port):
    server = socket.create_server(("127.0.0.1", port))
    typed = queue.Queue()
    threading.Thread(target=lambda: [typed.put(line) for line in sys.stdin], daemon=True).start()
    place = threading.Lock()

    def talk(client):
        owed = threading.Event()
        gone = threading.Event()

        def answer():
            while not gone.is_set():
                if owed.wait(0.05):
                    try:
                        line = typed.get(timeout=0.05)
                    except queue.Empty:
                        continue
                    owed.clear()
                    client.sendall(line.encode())

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        try:
            for line in client.makefile("r", errors="replace"):
                if owed.is_set():
                    client.sendall(b"ERROR wait for the reply\n")
                else:
                    print("Client:", line.rstrip("\n"), flush=True)
                    owed.set()
        except OSError:
            pass
        gone.set()
        answering.join()  # or it would take what is typed for the next
        client.close()
        place.release()

    while True:
        client, _ = server.accept()
        if place.acquire(timeout=0.1):
            threading.Thread(target=talk, args=[client], daemon=True).start()
        else:
            client.sendall(b"ERROR busy\n")
            client.shutdown(socket.SHUT_WR)
            client.close()


def call(host, port):
    with socket.create_connection((host, port)) as sock, sock.makefile("r", errors="replace") as replies:
        for line in sys.stdin:
            sock.sendall(line.encode())
            reply = replies.readline()
            if reply == "":
                sys.exit("the server is gone")
            print("Server:", reply, end="", flush=True)


if len(sys.argv) == 2:
    serve(int(sys.argv[1]))
else:
    call(sys.argv[1], int(sys.argv[2]))
