"""A receiver of the exercise's PDUs, written after `netlab explain transfer` and nothing else: every scheme, a thread a sender.

Usage: transfer_pdu_receiver.py tcp|udp PORT DIR
"""

import hashlib
import os
import socket
import struct
import sys
import threading
import zlib

OPEN, ACCEPT, DATA, ACK, FIN, DONE, ERROR = range(1, 8)
NONE, STOP_AND_WAIT, GO_BACK_N, SELECTIVE = range(4)
LARGEST = 2**32
folder = ""


class File:
    """One transfer: answers(kind, flags, seq, payload) are (kind, seq, payload)."""

    def __init__(self, flags, payload):
        size, self.chunk, window, self.scheme = struct.unpack(">QHHB", payload[:13])
        name = payload[13:].decode()
        self.chunks, self.next, self.last_word = {}, 0, None
        self.path = os.path.join(folder, name)
        if name in ("", ".", "..") or "/" in name or "\\" in name or name.split(".")[0].upper() in ("CON", "NUL"):
            self.fail(2, "that is no file name")
        elif os.path.exists(self.path):
            self.fail(3, "there is such a file already")
        elif size > LARGEST:
            self.fail(4, "too large")
        else:
            before = b""
            if flags & 1 and os.path.exists(self.path + ".part"):
                with open(self.path + ".part", "rb") as part:
                    before = part.read()
                before = before[: len(before) // self.chunk * self.chunk]
                for at in range(0, len(before), self.chunk):
                    self.chunks[at // self.chunk] = before[at : at + self.chunk]
                self.next = len(self.chunks)
            digest = hashlib.sha256(before).digest() if before else b""
            self.accepted = ACCEPT, self.next, struct.pack(">H", window) + digest

    def fail(self, code, text):
        self.last_word = ERROR, 0, struct.pack(">H", code) + text.encode()

    def answer(self, kind, seq, payload):
        if self.last_word:
            return self.last_word
        if kind == OPEN:
            return self.accepted
        if kind == DATA:
            if seq == self.next or (seq > self.next and self.scheme in (NONE, SELECTIVE)):
                self.chunks[seq] = payload
            first = self.next
            while self.next in self.chunks:
                self.next += 1
            self.keep(first)
            return None if self.scheme == NONE else (ACK, self.next, self.bitmap())
        if kind == FIN:
            lost = [seq for seq in range(seq) if seq not in self.chunks]
            whole = b"".join(self.chunks[seq] for seq in sorted(self.chunks))
            if lost:
                self.fail(7, f"lost chunks: {lost}")
            elif hashlib.sha256(whole).digest() != payload:
                self.fail(6, "the digest is another")
            else:
                with open(self.path, "xb") as file:
                    file.write(whole)
                if os.path.exists(self.path + ".part"):
                    os.remove(self.path + ".part")
                self.last_word = DONE, seq, bytes(4)
            return self.last_word

    def bitmap(self):
        bits = bytearray((max(self.chunks, default=0) - self.next + 7) // 8 if self.chunks else 0)
        for seq in self.chunks:
            if seq > self.next:
                bits[(seq - self.next - 1) // 8] |= 1 << (seq - self.next - 1) % 8
        return bytes(bits)

    def keep(self, first):
        """What is acknowledged can be gone on with, whenever the sender vanishes."""
        if self.next > first:
            with open(self.path + ".part", "r+b" if first else "wb") as part:
                part.seek(first * self.chunk)
                part.write(b"".join(self.chunks[seq] for seq in range(first, self.next)))


def hear(files, got):
    """Takes a PDU; returns the answer, or None."""
    kind, flags, session, seq, length, crc = struct.unpack(">BBIIHI", got[:16])
    if length != len(got) - 16 or crc != zlib.crc32(got[:12] + bytes(4) + got[16:]):
        return None
    if kind == OPEN and session not in files:
        files[session] = File(flags, got[16:])
    if session in files:
        said = files[session].answer(kind, seq, got[16:])
    else:
        said = ERROR, 0, struct.pack(">H", 8) + b"no such session"
    if said is None:
        return None
    kind, seq, payload = said
    head = struct.pack(">BBIIHI", kind, 0, session, seq, len(payload), 0)
    return head[:12] + struct.pack(">I", zlib.crc32(head + payload)) + payload


def serve(sock):
    files = {}
    stream = sock.makefile("rb")
    try:
        while len(head := stream.read(16)) == 16 and OPEN <= head[0] <= ERROR:
            answer = hear(files, head + stream.read(struct.unpack(">H", head[10:12])[0]))
            if answer:
                sock.sendall(answer)
    except OSError:
        pass
    sock.close()


transport, port, folder = sys.argv[1:4]
if transport == "tcp":
    server = socket.create_server(("127.0.0.1", int(port)))
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(port)))
senders = {}
while True:
    got, sender = sock.recvfrom(65536)
    if len(got) >= 16:
        answer = hear(senders.setdefault(sender, {}), got)
        if answer:
            sock.sendto(answer, sender)
