"""A stop-and-wait sender of the exercise's PDUs, written after `netlab explain transfer` and nothing else.

Usage: transfer_pdu_sender.py tcp|udp PORT FILE NAME [CHUNK]    (prints the receiver's last word)
"""

import hashlib
import os
import random
import socket
import struct
import sys
import zlib

OPEN, ACCEPT, DATA, ACK, FIN, DONE, ERROR = range(1, 8)
transport, port, path, name = sys.argv[1:5]
chunk = int((sys.argv[5:] or [100])[0])
session = random.getrandbits(32)
sock = socket.socket(type=socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(port)))
sock.settimeout(0.3)
waiting = b""


def pdu(kind, seq, payload, flags=0):
    head = struct.pack(">BBIIHI", kind, flags, session, seq, len(payload), 0)
    return head[:12] + struct.pack(">I", zlib.crc32(head + payload)) + payload


def take(count, before=b""):
    """So many bytes of the stream; what comes before a timeout is kept for the next time."""
    global waiting
    while len(waiting) < count:
        try:
            more = sock.recv(65536)
        except socket.timeout:
            waiting = before + waiting
            raise
        if not more:
            sys.exit("the receiver has gone")
        waiting += more
    got, waiting = waiting[:count], waiting[count:]
    return got


def receive():
    got = sock.recv(65536) if transport == "udp" else take(16)
    if transport == "tcp":
        got += take(struct.unpack(">H", got[10:12])[0], got)
    if len(got) < 16:
        return None, None, b""
    kind, _, whose, seq, length, crc = struct.unpack(">BBIIHI", got[:16])
    whole = (length, crc) == (len(got) - 16, zlib.crc32(got[:12] + bytes(4) + got[16:]))
    if transport == "tcp" and not whole:
        sys.exit("not a PDU")
    return (kind, seq, got[16:]) if whole and whose == session else (None, None, b"")


def ask(message, wanted, seq):
    for _ in range(20):
        sock.sendall(message)
        try:
            while True:
                kind, at, payload = receive()
                if kind == ERROR:
                    sys.exit(f"ERROR {struct.unpack('>H', payload[:2])[0]} {payload[2:].decode()}")
                if (kind, at) == (wanted, seq):
                    return
        except socket.timeout:
            pass
    sys.exit("no answer")


whole = open(path, "rb").read()
chunks = [whole[i : i + chunk] for i in range(0, len(whole), chunk)]
offer = struct.pack(">QHHB", os.path.getsize(path), chunk, 1, 1) + name.encode()
ask(pdu(OPEN, 0, offer), ACCEPT, 0)
for number, part in enumerate(chunks):
    ask(pdu(DATA, number, part, 1), ACK, number + 1)
ask(pdu(FIN, len(chunks), hashlib.sha256(whole).digest()), DONE, len(chunks))
print("DONE")
