"""A syslogd that can be killed at any moment, run as `python3 -ISc "$(cat syslogd.py)" SOCKET FILE [LINES]`.

It binds SOCKET anew and appends each datagram to FILE as a line. A datagram is looked at, written and only then taken:
whoever kills us loses none that we have read, but what stands in the socket's queue goes with it. After LINES it kills
itself.
"""
import contextlib
import os
import signal
import socket
import sys

path, file = sys.argv[1:3]
left = int(sys.argv[3]) if len(sys.argv) > 3 else -1
with contextlib.suppress(FileNotFoundError):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(path)
os.chmod(path, 0o666)
out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
while left:
    os.write(out, listener.recv(1 << 17, socket.MSG_PEEK) + b"\n")
    listener.recv(1)
    left -= 1
os.kill(os.getpid(), signal.SIGKILL)
