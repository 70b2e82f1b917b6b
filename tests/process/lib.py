"""What the process tests share: waiting for events, processes, FIFOs that hold a child back.

Everything that can happen (output of a starter, the end of a process, a datagram on a fake socket, a change of a
file) is a descriptor in one Pump; a test waits with until() for a condition, never for an amount of time.
"""
import ctypes
import os
import pathlib
import select
import shlex
import signal
import struct
import subprocess
import time

import sandbox

FACTOR = float(os.environ.get("AMPHID_TIMEOUT_FACTOR", "1"))
LONG = 10 * FACTOR   # how long an event may take before the test fails
SHORT = 0.12 * FACTOR  # how long something is watched that must not happen
AMPHID = os.path.abspath(os.environ.get("AMPHID", "amphid"))
WRAPPER = shlex.split(os.environ.get("AMPHID_WRAPPER", ""))
COMMAND = WRAPPER + [AMPHID]
SANITIZED = os.path.exists(AMPHID) and b"__asan_init" in pathlib.Path(AMPHID).read_bytes()  # memory means nothing then
ACTOR = pathlib.Path(__file__).with_name("actor.py").read_text()


def ms(n):
    """A timespan for a property: @n milliseconds, more where everything is slower."""
    return f"{int(n * FACTOR)}ms"


class Pump:
    """All descriptors that a test listens to."""

    def __init__(self):
        self.poll = select.poll()
        self.readers = {}

    def add(self, fd, reader):
        self.readers[fd] = reader
        self.poll.register(fd, select.POLLIN)

    def remove(self, fd):
        if self.readers.pop(fd, None):
            self.poll.unregister(fd)

    def turn(self, seconds):
        for fd, _ in self.poll.poll(max(0, seconds) * 1000):
            if fd in self.readers:
                self.readers[fd]()

    def until(self, condition, what, seconds=LONG):
        """Waits until @condition() is true and returns its value."""
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds:g} s in vain for {what() if callable(what) else what}")
            self.turn(end - time.monotonic())

    def never(self, condition, what):
        """Watches for a moment that @condition() stays false."""
        end = time.monotonic() + SHORT
        while time.monotonic() < end:
            assert not condition(), f"{what} too early"
            self.turn(end - time.monotonic())


class Process:
    """A process as /proc shows it, held by a pidfd."""

    def __init__(self, pump, pid):
        self.pump, self.pid = pump, int(pid)
        self.fd = os.pidfd_open(self.pid)
        self.gone = False
        pump.add(self.fd, self._ended)

    def _ended(self):
        self.gone = True
        self.pump.remove(self.fd)
        os.close(self.fd)

    def wait(self):
        """Waits for its end. Returns its exit status (-N: signal), None if it is not ours to reap."""
        self.pump.until(lambda: self.gone, f"the end of {self.pid}")
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:
            return None
        return os.waitstatus_to_exitcode(status)

    def alive(self):
        self.pump.turn(0)
        return not self.gone

    def kill(self, number=signal.SIGTERM):
        signal.pidfd_send_signal(self.fd, number)

    def read(self, name):
        return pathlib.Path(f"/proc/{self.pid}", name).read_text()

    def stat(self):
        return dict(zip(("ppid", "pgid", "sid", "tty"), stat_of(self.pid)))

    def status(self):
        return dict(line.split(":\t", 1) for line in self.read("status").splitlines() if ":\t" in line)

    def signals(self, field):
        """The signals of SigBlk, SigIgn, ShdPnd..."""
        mask = int(self.status()[field], 16)
        return {n for n in range(1, 65) if mask & 1 << n - 1}

    def environ(self):
        return dict(entry.split("=", 1) for entry in self.read("environ").split("\0") if "=" in entry)

    def cwd(self):
        return os.readlink(f"/proc/{self.pid}/cwd")

    def fds(self):
        found = {}
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found[int(name)] = os.readlink(f"/proc/{self.pid}/fd/{name}")
            except FileNotFoundError:
                continue  # closed meanwhile
        return found

    def children(self):
        return children_of(self.pid)

    def only_child(self):
        """The main process of an instance that is up."""
        pids = self.children()
        assert len(pids) == 1, f"children of {self.pid}: {pids}"
        return Process(self.pump, pids[0])


def stat_of(pid):
    """ppid, pgrp, session, tty_nr"""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return tuple(int(f) for f in fields[1:5])


def children_of(pid):
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and stat_of(name)[0] == pid:
                found.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


class Run:
    """A program started by a test: its output is collected while it runs."""

    def __init__(self, pump, argv, env, **popen):
        self.pump, self.argv = pump, argv
        self.code, self.chunks = None, {"out": [], "err": []}
        popen.setdefault("stdin", subprocess.DEVNULL)
        self.popen = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        self.pid, self.open = self.popen.pid, 2
        self.pidfd = os.pidfd_open(self.pid)
        pump.add(self.pidfd, self._ended)
        for name, pipe in (("out", self.popen.stdout), ("err", self.popen.stderr)):
            pump.add(pipe.fileno(), lambda name=name, pipe=pipe: self._read(name, pipe))

    def _read(self, name, pipe):
        data = os.read(pipe.fileno(), 65536)
        if data:
            self.chunks[name].append(data)
        else:
            self.pump.remove(pipe.fileno())
            pipe.close()
            self.open -= 1

    def _ended(self):
        self.pump.remove(self.pidfd)
        os.close(self.pidfd)
        self.code = self.popen.wait()
        if self.code < 0:
            self.code = 128 - self.code

    @property
    def out(self):
        return b"".join(self.chunks["out"]).decode(errors="replace")

    @property
    def err(self):
        return b"".join(self.chunks["err"]).decode(errors="replace")

    def __str__(self):
        argv = ["ACTOR" if word == ACTOR else word for word in self.argv]
        return f"{shlex.join(argv)}: exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}\n---"

    def ended(self):
        return self.code is not None

    def wait(self, code=None):
        """Waits for its end and for the end of its output: nobody else may keep the pipes open."""
        self.pump.until(self.ended, lambda: f"the end of {self}")
        self.pump.until(lambda: self.open == 0, lambda: f"the end of the output of {self} (who keeps it open?)")
        assert code is None or self.code == code, f"wanted exit {code} of {self}"
        return self

    def still_waits(self):
        self.pump.never(self.ended, f"{self}: end")

    def kill(self, number=signal.SIGTERM):
        self.popen.send_signal(number)


class Fifo:
    """One direction of talk with a child. The test keeps both ends, so nobody sees an end of file."""

    def __init__(self, pump, path):
        self.pump, self.path = pump, str(path)
        os.mkfifo(path)
        os.chmod(path, 0o666)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.buffer = ""

    def say(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def close(self):
        self.pump.remove(self.fd)
        os.close(self.fd)


class Tell(Fifo):
    """A Fifo that the test reads: expect() takes the lines in any order, each once."""

    def __init__(self, pump, path):
        super().__init__(pump, path)
        pump.add(self.fd, self._read)

    def _read(self):
        self.buffer += os.read(self.fd, 65536).decode()

    def lines(self):
        return self.buffer.split("\n")[:-1]

    def expect(self, line):
        self.pump.until(lambda: line in self.lines(), lambda: f"{line!r}, told: {self.lines()}")
        self.buffer = self.buffer.replace(line + "\n", "", 1)


class Files:
    """Waits for the content of files, and for somebody to open them, by inotify."""

    IN_OPEN = 0x20
    IN_CHANGES = 0x2 | 0x8 | 0x80 | 0x100 | 0x200  # modify, close_write, moved_to, create, delete

    def __init__(self, pump):
        self.pump = pump
        self.fd = sandbox.check(sandbox.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self.opens = {}  # watch descriptor → how often opened
        pump.add(self.fd, self._read)

    def _read(self):
        data = os.read(self.fd, 65536)
        while data:
            watch, mask, _, length = struct.unpack_from("iIII", data)
            data = data[16 + length:]
            if mask & self.IN_OPEN and watch in self.opens:
                self.opens[watch] += 1

    def watch_opens(self, path):
        """From now on it is counted how often @path is opened."""
        add = sandbox.libc.inotify_add_watch
        watch = sandbox.check(add(self.fd, str(path).encode(), ctypes.c_uint32(self.IN_OPEN)))
        self.opens[watch] = 0
        return watch

    def until_opened(self, watch):
        """Waits until it is opened once more than was waited for."""
        self.pump.until(lambda: self.opens[watch] > 0, "somebody to open the FIFO")
        self.opens[watch] -= 1

    def until(self, path, condition, what):
        """Waits until @condition(text of the file) is true and returns its value; a missing file is empty."""
        path = pathlib.Path(path)
        add = sandbox.libc.inotify_add_watch
        watch = sandbox.check(add(self.fd, str(path.parent).encode(), ctypes.c_uint32(self.IN_CHANGES)))
        try:
            return self.pump.until(lambda: condition(path.read_text(errors="replace") if path.exists() else ""),
                                   lambda: f"{what} in {path}:\n{path.read_text() if path.exists() else '(no file)'}")
        finally:
            sandbox.libc.inotify_rm_watch(self.fd, watch)

    def close(self):
        self.pump.remove(self.fd)
        os.close(self.fd)


def memfd_text(fd):
    with open(fd, "rb") as f:
        f.seek(0)
        return f.read()


def parse_native(data):
    """One datagram of the native journal protocol as a dict."""
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        key, equals, value = line.partition(b"=")
        if not equals:
            size, = struct.unpack("<Q", data[:8])
            value, data = data[8:8 + size], data[9 + size:]
        fields[key.decode()] = value.decode(errors="replace")
    return fields
