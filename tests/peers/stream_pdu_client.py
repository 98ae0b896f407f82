"""A streaming client by somebody else, in PDUs as `netlab explain stream` has them. Usage: stream_pdu_client.py HOST PORT NAME"""

import random
import socket
import struct
import sys
import time
import zlib

REQUEST, COOKIE, INFO, DATA, REPORT, CONTROL, FIN, ERROR = range(1, 9)
address, name = (sys.argv[1], int(sys.argv[2])), sys.argv[3].encode()
session = random.getrandbits(32)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def say(kind, seq, payload=b""):
    head = struct.pack(">BBII", kind, 0, session, seq)
    crc = zlib.crc32(head + bytes(4) + payload)
    sock.sendto(head + struct.pack(">I", crc) + payload, address)


def hear(until):
    """The next PDU of this session, or None when none comes in time."""
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            pdu = sock.recvfrom(4096)[0]
        except TimeoutError:
            return None
        if len(pdu) < 14:
            continue
        kind, _, of, seq, crc = struct.unpack(">BBIII", pdu[:14])
        if crc == zlib.crc32(pdu[:10] + bytes(4) + pdu[14:]) and of == session:
            return kind, seq, pdu[14:]


cookie, parts, size = bytes(16), {}, None
say(REQUEST, 0, struct.pack(">I", 0) + cookie + name)
due = time.monotonic() + 1
while True:
    pdu = hear(due)
    if pdu is None:
        due += 1
        if size is None:
            say(REQUEST, 0, struct.pack(">I", 0) + cookie + name)
        else:
            highest = max(parts, default=-1) + 1
            say(REPORT, highest, struct.pack(">II", highest - len(parts), 0))
        continue
    kind, seq, payload = pdu
    if kind == COOKIE:
        cookie = payload
        say(REQUEST, 0, struct.pack(">I", 0) + cookie + name)
    elif kind == INFO:
        size = struct.unpack(">Q", payload[:8])[0]
    elif kind == DATA:
        parts[seq] = payload[12:]
    elif kind == ERROR:
        sys.exit("error: " + payload[2:].decode("utf-8", "replace"))
    elif kind == FIN:
        say(FIN, seq)
        print(sum(map(len, parts.values())), "of", size, "bytes received,", seq - len(parts), "datagrams lost")
        break
