"""Waiting for events, each with a deadline and a reason that the failure names. No sleeps of a fixed length."""
import ctypes
import os
import re
import select
import socket
import threading
import time

_libc = ctypes.CDLL(None, use_errno=True)
IN_CHANGED = 0x2 | 0x8 | 0x80 | 0x100 | 0x200  # MODIFY, CLOSE_WRITE, MOVED_TO, CREATE, DELETE


class Late(AssertionError):
    """What was waited for did not happen in time."""


def until(cond, what, timeout=10.0, pause=0.01):
    """For what has no event of its own: asks @cond every 10 ms. Returns its first true answer."""
    deadline = time.monotonic() + timeout
    while True:
        answer = cond()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Late(f'waited {timeout:g} s for {what}')
        time.sleep(pause)


def until_file(path, cond, what, timeout=10.0):
    """Asks @cond again each time something changes in the directory of @path."""
    deadline = time.monotonic() + timeout
    fd = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        raise OSError(ctypes.get_errno(), 'inotify_init1')
    try:
        if _libc.inotify_add_watch(fd, os.fsencode(os.path.dirname(path)), IN_CHANGED) < 0:
            raise OSError(ctypes.get_errno(), 'inotify_add_watch', os.path.dirname(path))
        while True:
            answer = cond()
            if answer:
                return answer
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise Late(f'waited {timeout:g} s for {what} in {path}')
            os.read(fd, 65536)
    finally:
        os.close(fd)


def gone(host_pid, timeout=10.0):
    """Waits for the end of a process (a zombie has ended)."""
    try:
        fd = os.pidfd_open(host_pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([fd], [], [], timeout)[0]:
            raise Late(f'waited {timeout:g} s for the end of process {host_pid}')
    finally:
        os.close(fd)


class NotifySocket:
    """The receiving end of sd_notify(3)."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.sock.bind(path)
        self.path = path
        self.seen, self.drainer = {}, None

    def wait(self, key, alive, timeout):
        """Returns the value of @key as soon as it was sent. @alive() false: the sender has ended."""
        deadline = time.monotonic() + timeout
        while key not in self.seen:
            if not alive():
                raise Late(f'the sender ended before it said {key}=')
            if time.monotonic() > deadline:
                raise Late(f'waited {timeout:g} s for {key}=')
            if self.pending(0.1):
                self._take()
        return self.seen[key]

    def pending(self, timeout=0):
        return bool(select.select([self.sock], [], [], timeout)[0])

    def drain(self):
        while self.pending():
            self._take()

    def _take(self):
        for line in self.sock.recv(65536).decode().splitlines():
            name, _, value = line.partition('=')
            self.seen[name] = value

    def keep_drained(self):
        """From now on in the background: a sender must not block because nobody here is interested any more."""
        self.drainer = threading.Thread(target=self._drain_all, daemon=True)
        self.drainer.start()

    def _drain_all(self):
        while self.sock.recv(65536):
            pass

    def close(self):
        if self.drainer:
            self.sock.shutdown(socket.SHUT_RD)
            self.drainer.join(5)
            self.drainer = None
        self.sock.close()


FIELD = re.compile(r'([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|\S*) ?')


def fields(record):
    """'name=web reason="it is so" rest of it' -> ({'name': 'web', 'reason': 'it is so'}, 'rest of it')"""
    found = {}
    while m := FIELD.match(record):
        found[m[1]] = re.sub(r'\\(.)', r'\1', m[2][1:-1]) if m[2].startswith('"') else m[2]
        record = record[m.end():]
    return found, record
