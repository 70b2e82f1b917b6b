"""A COMMAND that speaks sd_notify(3), run as `python3 -ISc "$(cat notifier.py)" TELL GATE`.

It writes "up" to the FIFO TELL, and "stored NAME=CONTENT ..." for the descriptors it has been given; then it obeys
the lines of the FIFO GATE and tells what became of them:
  say A=1|B=2       one datagram of two lines         barrier           BARRIER=1: told when it is answered
  raw N             N bytes that mean nothing         flood N           N times WATCHDOG=1
  child A=1|B=2     said by a child                   orphan A=1|B=2    said by a grandchild in a session of its own
  last A=1|B=2      the last word of an orphan        store NAME TEXT   FDSTORE=1 with a file of TEXT
  pipe NAME POLL    FDSTORE=1 with a pipe whose       many N            FDSTORE=1 with N descriptors
                    other end is closed               foreign PID       MAINPIDFD=1 with that process
  heir FORM         a child becomes the main process and goes on here, FORM: pid, id, pidfd; kept: it is waited for
  as UID            goes on as somebody else          exit N            ends
"""
import array
import os
import signal
import socket
import sys

WORDS = sys.argv


def tell(text):
    with open(WORDS[1], "w") as f:
        f.write(text + "\n")


def send(text, *fds):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(os.environ["NOTIFY_SOCKET"])
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        s.sendmsg([text if isinstance(text, bytes) else text.replace("|", "\n").encode()], rights)


def barrier():
    ours, theirs = os.pipe()
    send("BARRIER=1", theirs)
    os.close(theirs)
    os.read(ours, 1)
    os.close(ours)


def by_child(text, forks):
    """Said by a process that stays until it has been heard: only then it is known whose word it was."""
    pid = os.fork()
    if pid == 0:
        if forks > 1:
            os.setsid()
            if os.fork():
                os._exit(0)
        send(text)
        barrier()
        tell("said")
        os._exit(0)
    os.waitpid(pid, 0)


def last_word(text):
    """Said by an orphan that ends at once; returns when it has."""
    ended, held = os.pipe()
    pid = os.fork()
    if pid == 0:
        if os.fork() == 0:
            send(text)
        os._exit(0)
    os.close(held)
    os.waitpid(pid, 0)
    os.read(ended, 1)
    os.close(ended)


def memfd(text):
    fd = os.memfd_create("stored")
    os.write(fd, text.encode())
    return fd


def heir(form):
    """This process ends, its child is the main one."""
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        os.read(ready, 1)  # until the parent has ended
        tell(f"heir {os.getpid()}")
        return
    fd = os.pidfd_open(pid)
    if form == "pidfd":
        send("MAINPIDFD=1", fd)
    elif form == "id":
        send(f"MAINPID={pid}|MAINPIDFDID={os.fstat(fd).st_ino}")
    else:
        send(f"MAINPID={pid}")
    barrier()
    if form == "kept":
        os.close(go)
        os.waitpid(pid, 0)
        signal.pause()
    os._exit(7)


def store_pipe(name, poll):
    ours, theirs = os.pipe()
    send(f"FDSTORE=1|FDNAME={name}|FDPOLL={poll}", ours)
    os.close(ours)
    os.close(theirs)


def obey(verb, rest):
    if verb == "say":
        send(rest)
    elif verb == "raw":
        send(os.urandom(int(rest)))
    elif verb == "flood":
        for _ in range(int(rest)):
            send("WATCHDOG=1")
    elif verb == "child":
        by_child(rest, 1)
    elif verb == "orphan":
        by_child(rest, 2)
    elif verb == "last":
        last_word(rest)
    elif verb == "barrier":
        barrier()
    elif verb == "store":
        name, _, text = rest.partition(" ")
        send(f"FDSTORE=1|FDNAME={name}", memfd(text))
    elif verb == "pipe":
        store_pipe(*rest.split())
    elif verb == "many":
        send("FDSTORE=1|FDNAME=many", *[memfd(str(i)) for i in range(int(rest))])
    elif verb == "heir":
        heir(rest)
    elif verb == "foreign":
        send("MAINPIDFD=1", os.pidfd_open(int(rest)))
    elif verb == "as":
        os.setresuid(int(rest), int(rest), int(rest))
    elif verb == "exit":
        os._exit(int(rest))
    else:
        raise ValueError(verb)
    tell("did " + verb)


def stored():
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    found = []
    for i in range(int(os.environ.get("LISTEN_FDS", "0"))):
        fd = 3 + i
        try:
            found.append(f"{names[i]}={os.pread(fd, 100, 0).decode()}")
        except OSError:
            found.append(f"{names[i]}=")
    return " ".join(["stored", *sorted(found)])


signal.signal(signal.SIGCHLD, signal.SIG_DFL)
gate = open(WORDS[2])
tell("up")
tell(stored())
while True:
    obey(*gate.readline().rstrip("\n").partition(" ")[::2])
