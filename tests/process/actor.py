"""A COMMAND that does as it is told, run as `python3 -ISc "$(cat actor.py)" TELL GATE [SIGNAL...]`.

It writes what happens to it to the FIFO TELL ("up", "got HUP") and obeys the lines of the FIFO GATE:
  notify A=1|B=2   one datagram of two lines        out TEXT / err TEXT   writes TEXT and a newline
  part TEXT        writes TEXT without a newline     exit N / kill SIGNAL  ends so
  ignore SIGNAL    ignores it from now on            many N                N numbered lines on stdout
"""
import os
import select
import signal
import socket
import sys


def tell(text):
    with open(sys.argv[1], "w") as f:
        f.write(text + "\n")


def notify(text):
    path = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect("\0" + path[1:] if path.startswith("@") else path)
        s.send(text.replace("|", "\n").encode())


def number(name):
    return getattr(signal, "SIG" + name)


def obey(verb, rest):
    if verb == "notify":
        notify(rest)
    elif verb in ("out", "part"):
        os.write(1, rest.encode() + (b"\n" if verb == "out" else b""))
    elif verb == "err":
        os.write(2, rest.encode() + b"\n")
    elif verb == "many":
        sys.stdout.write("".join(f"line {i} of many\n" for i in range(int(rest))))
        sys.stdout.flush()
    elif verb == "ignore":
        signal.signal(number(rest), signal.SIG_IGN)
    elif verb == "exit":
        os._exit(int(rest))
    elif verb == "kill":
        os.kill(os.getpid(), number(rest))
    else:
        raise ValueError(verb)
    tell("did " + verb)


for name in sys.argv[3:]:
    signal.signal(number(name), lambda n, frame: tell("got " + signal.Signals(n).name[3:]))
gate = os.open(sys.argv[2], os.O_RDONLY)
# A signal that comes just before a read(2) does not interrupt it, and Python would run the handler when that one is over.
woken, wake = os.pipe()
os.set_blocking(wake, False)
signal.set_wakeup_fd(wake)
tell("up")
text = b""
while True:
    if b"\n" in text:
        line, _, text = text.partition(b"\n")
        obey(*line.decode().partition(" ")[::2])
    elif gate in select.select([gate, woken], [], [])[0]:
        text += os.read(gate, 4096) or sys.exit("the gate is closed")
    else:
        os.read(woken, 4096)
