"""The lockstep programs of the seed's kind over UDP: bare datagrams, a reply to each; nothing notices a loss.

Usage: talk_seed_udp.py PORT            (client: lines from standard input; prints each reply)
       talk_seed_udp.py [serve PORT]    (server: prints its port, then what comes; answers with lines from standard input)
"""

import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if len(sys.argv) == 2:
    server = ("127.0.0.1", int(sys.argv[1]))
    for line in sys.stdin:
        sock.sendto(line.rstrip("\n").encode(), server)
        reply, _ = sock.recvfrom(1024)
        print("Server:", reply.decode(), flush=True)
else:
    sock.bind(("127.0.0.1", int((sys.argv[2:] or [0])[0])))
    print(sock.getsockname()[1], flush=True)
    while True:
        message, client = sock.recvfrom(1024)
        print("Client:", message.decode(), flush=True)
        line = sys.stdin.readline()
        if line == "":
            break
        sock.sendto(line.rstrip("\n").encode(), client)
sock.close()
