#!/usr/bin/env python3
"""Takes a name on the D-Bus and keeps it until SIGTERM; SIGUSR1: gives it back, but stays.

  bus_name.py SOCKET NAME [DELAY]
"""
import os
import signal
import socket
import struct
import sys
import time


def field(code, kind, value):
    """A header field: its code and a variant."""
    data = value.encode()
    return struct.pack("<BB", code, 1) + kind + b"\0" + struct.pack("<I", len(data)) + data + b"\0"


def call(serial, member, signature="", body=b""):
    fields = b""
    for code, kind, value in ((1, b"o", "/org/freedesktop/DBus"), (2, b"s", "org.freedesktop.DBus"),
                              (3, b"s", member), (6, b"s", "org.freedesktop.DBus")):
        fields += b"\0" * (-len(fields) % 8) + field(code, kind, value)
    if signature:
        sig = signature.encode()
        fields += b"\0" * (-len(fields) % 8) + struct.pack("<BB", 8, 1) + b"g\0" + bytes([len(sig)]) + sig + b"\0"
    head = struct.pack("<BBBBIII", ord("l"), 1, 0, 1, len(body), serial, len(fields)) + fields
    return head + b"\0" * (-len(head) % 8) + body


def main():
    path, name = sys.argv[1:3]
    time.sleep(float(sys.argv[3]) if len(sys.argv) > 3 else 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
    bus = socket.socket(socket.AF_UNIX)
    bus.connect(path)
    bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
    assert bus.recv(4096).startswith(b"OK")
    bus.sendall(b"BEGIN\r\n")
    text = struct.pack("<I", len(name)) + name.encode() + b"\0"
    bus.sendall(call(1, "Hello") + call(2, "RequestName", "su", text + b"\0" * (-len(text) % 4) + struct.pack("<I", 4)))
    if signal.sigwait({signal.SIGUSR1, signal.SIGTERM}) == signal.SIGTERM:
        return
    bus.sendall(call(3, "ReleaseName", "s", text))
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
