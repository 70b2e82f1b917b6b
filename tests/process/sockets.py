"""The sockets of an init system's world, played by the test: notify socket, /dev/log, journald's two."""
import contextlib
import os
import socket
import struct
import time

from lib import memfd_text, parse_native


class Datagrams:
    """A datagram socket that keeps what it gets, in order: (pid of the sender, fields or text)."""

    parse = staticmethod(lambda data: data.decode(errors="replace"))

    def __init__(self, pump, path):
        self.pump, self.got = pump, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(str(path))
        if not str(path).startswith("\0"):
            os.chmod(path, 0o666)
        self.path = path
        pump.add(self.socket.fileno(), self._read)

    def _read(self):
        """Takes all that waits: what was sent before a process ended is here when its end is."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._take(*self.socket.recvmsg(1 << 20, 4096)[:2])

    def _take(self, data, ancillary):
        pid = 0
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                pid = struct.unpack("iii", payload)[0]
            elif level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                for fd in struct.unpack(f"{len(payload) // 4}i", payload):
                    data = memfd_text(fd) or data  # the journal's way for what is too big for a datagram
        self.got.append((pid, self.parse(data)))
        self.note(self.got[-1])

    def note(self, message):
        pass

    def all(self):
        """What came, with everything that waits in the socket."""
        self.pump.turn(0)
        return [message for _, message in self.got]

    def until(self, condition, what):
        """The first message for which @condition() is true."""
        return self.pump.until(lambda: next((m for _, m in self.got if condition(m)), None),
                               lambda: f"{what}; got: {self.got}")

    def close(self):
        self.pump.remove(self.socket.fileno())
        self.socket.close()


class NotifySocket(Datagrams):
    """What a service manager listens to: each message is a dict."""

    def __init__(self, pump, path):
        self.times = []
        super().__init__(pump, path)

    @staticmethod
    def parse(data):
        return dict(line.split("=", 1) for line in data.decode().split("\n") if line)

    def note(self, message):
        self.times.append(time.monotonic())

    def until_has(self, key, value=None):
        return self.until(lambda m: key in m and value in (None, m[key]), f"{key}={value or ''}")

    def has(self, key, value=None):
        return any(key in m and value in (None, m[key]) for m in self.all())

    def order(self, *entries):
        """The entries ("READY=1") in the order in which they came, others left out."""
        return [entry for m in self.all() for entry in (f"{k}={v}" for k, v in m.items()) if entry in entries]

    def forget(self):
        self.all()
        self.got.clear()
        self.times.clear()


class Syslog(Datagrams):
    """/dev/log"""

    def until_text(self, text):
        return self.until(lambda m: text in m, repr(text))


class Journal(Datagrams):
    """journald: /run/systemd/journal/socket and the streams of /run/systemd/journal/stdout."""

    parse = staticmethod(parse_native)
    HEADER = 7  # lines: identifier, unit, priority, level prefix, forward to syslog, kmsg, console

    def __init__(self, pump, directory):
        os.makedirs(directory, exist_ok=True)
        super().__init__(pump, os.path.join(directory, "socket"))
        self.streams = {}  # inode of our end → [peer's header lines, text so far]
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        path = os.path.join(directory, "stdout")
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(100)
        self.connections = []
        pump.add(self.listener.fileno(), self._accept)

    def _accept(self):
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        self.connections.append(connection)
        self.streams[connection.fileno()] = ""
        self.pump.add(connection.fileno(), lambda: self._stream(connection))

    def _stream(self, connection):
        data = connection.recv(65536)
        if data:
            self.streams[connection.fileno()] += data.decode(errors="replace")
        else:
            self.pump.remove(connection.fileno())

    def stages(self):
        return [m for m in self.all() if "AMPHID_STAGE" in m]

    def until_stage(self, stage):
        return self.until(lambda m: m.get("AMPHID_STAGE") == stage, f"stage {stage}")

    def stream_of(self, identifier):
        """(header, text) of the streams of @identifier."""
        found = []
        for text in self.streams.values():
            lines = text.split("\n")
            if len(lines) > self.HEADER and lines[0] == identifier:
                found.append((lines[:self.HEADER], "\n".join(lines[self.HEADER:])))
        return found

    def until_streamed(self, identifier, text):
        return self.pump.until(lambda: next((s for s in self.stream_of(identifier) if text in s[1]), None),
                               lambda: f"{text!r} from {identifier}; streams: {self.streams}")

    def close(self):
        super().close()
        for s in self.connections + [self.listener]:
            self.pump.remove(s.fileno())
            s.close()
