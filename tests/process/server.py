"""A COMMAND that comes up step by step, run as `python3 -ISc "$(cat server.py)" TELL GATE`.

It writes "up" to the FIFO TELL, then it obeys the lines of the FIFO GATE and tells each that is done:
  listen PORT|PATH  listens there (TCP on 127.0.0.1)   http CODE         who asks there is answered so from now on
  bind PATH         a socket that nobody listens to    touch PATH        makes a file
  out TEXT          writes TEXT and a newline          write N TEXT      the same on descriptor N, "." for no TEXT
  close N           closes descriptor N                notify A=1        sd_notify(3)
  fork              goes on as a daemon                pid PATH [PID]    a PID file, by default its own
  exit N            ends
"""
import os
import signal
import socket
import sys
import threading

answer = None


def tell(text):
    with open(sys.argv[1], "w") as f:
        f.write(text + "\n")


def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            if answer and connection.recv(4096):
                connection.sendall(f"HTTP/1.0 {answer} so it is\r\nContent-Length: 0\r\n\r\n".encode())


def listen(where):
    if where.startswith("/"):
        listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(where):
            os.unlink(where)
        listener.bind(where)
    else:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(where)))
    listener.listen(100)
    threading.Thread(target=serve, args=[listener], daemon=True).start()


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(os.environ["NOTIFY_SOCKET"])
        s.send(text.encode())


def become_daemon():
    """The parent ends when its child is on its own."""
    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        os.read(ours, 1)
        os._exit(0)
    os.setsid()
    os.close(theirs)
    os.close(ours)


def write_pid(path, pid=None):
    with open(path + ".new", "w") as f:
        f.write(f"{pid or os.getpid()}\n")
    os.rename(path + ".new", path)


def obey(verb, rest):
    global answer
    if verb == "listen":
        listen(rest)
    elif verb == "bind":
        socket.socket(socket.AF_UNIX).bind(rest)
    elif verb == "http":
        answer = int(rest)
    elif verb == "touch":
        open(rest, "w").close()
    elif verb == "out":
        os.write(1, rest.encode() + b"\n")
    elif verb == "write":
        number, text = rest.split(" ", 1)
        os.write(int(number), text.removeprefix(".").encode() + b"\n")
    elif verb == "close":
        os.close(int(rest))
    elif verb == "notify":
        notify(rest)
    elif verb == "fork":
        become_daemon()
    elif verb == "pid":
        write_pid(*rest.split())
    elif verb == "exit":
        os._exit(int(rest))
    else:
        raise ValueError(verb)
    tell("did " + verb)


signal.signal(signal.SIGCHLD, signal.SIG_DFL)
gate = open(sys.argv[2])
tell("up")
while True:
    obey(*gate.readline().rstrip("\n").partition(" ")[::2])
