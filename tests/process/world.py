"""The surroundings of one test: who starts amphid, with which environment, and what is left at the end."""
import contextlib
import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import tempfile
import time

import sandbox
from lib import ACTOR, AMPHID, COMMAND, FACTOR, LONG, Files, Fifo, Process, Pump, Run, Tell, children_of, stat_of
from sockets import Journal, NotifySocket, Syslog

GRACE = FACTOR  # seconds for what is just ending when a test is over


class World:
    def __init__(self, who):
        self.who = who
        self.pump = Pump()
        self.files = Files(self.pump)
        self.runs, self.closing, self.daemons = [], [], []
        self.hold = self.turn = None
        self.as_user = who != "root" and os.geteuid() == 0
        self.uid = sandbox.UID if self.as_user else os.geteuid()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="amphid-test-"))
        self.dir.chmod(0o755)
        self.work = self.mkdir("work")  # the caller's directory, and his to write in
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "FOO": "bar",
                    "HOME": str(self.mkdir("home"))}
        for key, value in os.environ.items():  # how a sanitizer or a coverage build is told what to do
            if key.endswith("SAN_OPTIONS") or key.startswith("GCOV_"):
                self.env[key] = value
        if who == "root":
            self.base = pathlib.Path("/run/amphid")
        elif who == "bare":
            self.base = pathlib.Path(f"/tmp/amphid-{self.uid}")
            if not self.as_user:  # the one place of a real user: two workers take turns
                self.turn = open(AMPHID, "rb")
                fcntl.flock(self.turn, fcntl.LOCK_EX)
        else:
            runtime = self.mkdir("runtime")
            runtime.chmod(0o700)
            self.env["XDG_RUNTIME_DIR"] = str(runtime)
            self.base = runtime / "amphid"
        self.log = self.work / "log"

    def mkdir(self, name):
        path = self.dir / name
        path.mkdir()
        if self.as_user:
            os.chown(path, self.uid, self.uid)
        return path

    # --- starting things

    def popen_as(self, popen):
        if self.as_user:
            popen = {"user": self.uid, "group": self.uid, "extra_groups": [], **popen}
        return {"cwd": self.work, **popen}

    def start(self, *args, env=(), argv=None, drop=(), **popen):
        """Starts amphid with @args (or @argv as it stands) and returns at once."""
        full = {**self.env, **dict(env)}
        for key in drop:
            full.pop(key, None)
        argv = [str(a) for a in (argv or [*COMMAND, *args])]
        run = Run(self.pump, argv, full, **self.popen_as(popen))
        self.runs.append(run)
        return run

    def run(self, *args, code=None, **kw):
        """Runs amphid to its end."""
        return self.start(*args, **kw).wait(code)

    def start_with_own_pid(self, *args, env=(), **kw):
        """As the manager starts it: SYSTEMD_EXEC_PID is amphid's own PID."""
        script = 'SYSTEMD_EXEC_PID=$$; export SYSTEMD_EXEC_PID; exec "$@"'
        return self.start(argv=["sh", "-c", script, "sh", *COMMAND, *args], env=env, **kw)

    def fork(self, *args, log=True, **kw):
        """amphid --fork, logging into a file unless the test wants something else."""
        where = [f"--log=file:{self.log}"] if log else []
        return self.start("--fork", *where, *args, **kw)

    # --- children that wait for the test

    def fifo(self, name):
        fifo = Fifo(self.pump, self.dir / name)
        self.closing.append(fifo)
        fifo.watch = self.files.watch_opens(fifo.path)
        return fifo

    def tell(self, name="tell"):
        tell = Tell(self.pump, self.dir / name)
        self.closing.append(tell)
        return tell

    def holder(self):
        """A COMMAND that does nothing until it is ended, and its process is this program from its exec on."""
        self.hold = self.hold or self.fifo("hold")
        return ["cat", self.hold.path]

    def until_held(self):
        """Waits until one more holder is at work. It is a moment later than the exec: the kernel lets its parent go on
        before the new environment can be read in /proc."""
        self.files.until_opened(self.hold.watch)

    def actor(self, *signals):
        """(argv, tell, gate) of a COMMAND that does as it is told, see actor.py."""
        number = len(self.closing)
        tell, gate = self.tell(f"tell{number}"), self.fifo(f"gate{number}")
        return ["/usr/bin/python3", "-ISc", ACTOR, tell.path, gate.path, *signals], tell, gate

    # --- the world around amphid

    def notify_socket(self, path=None):
        s = NotifySocket(self.pump, path or self.dir / "notify-socket")
        self.closing.append(s)
        if path is None or not path.startswith("\0"):
            self.env["NOTIFY_SOCKET"] = str(s.path)
        else:
            self.env["NOTIFY_SOCKET"] = "@" + path[1:]
        return s

    def syslog(self):
        s = Syslog(self.pump, "/dev/log")
        self.closing.append(s)
        return s

    def journal(self):
        s = Journal(self.pump, "/run/systemd/journal")
        self.closing.append(s)
        return s

    # --- looking at instances

    def pidfile(self, name):
        return self.base / name / "pid"

    def daemon(self, name):
        """The running instance of @name, as its PID file says."""
        process = Process(self.pump, self.pidfile(name).read_text())
        self.daemons.append(process)
        return process

    @contextlib.contextmanager
    def forked(self, *args, name="web", command=None, **kw):
        """An instance started with --fork for the time of a with block; ended with SIGTERM, cleanly."""
        self.fork("-n", name, *args, "--", *(command or self.holder()), **kw).wait(0)
        daemon = self.daemon(name)
        if not command:
            self.until_held()
        yield daemon
        if daemon.alive():
            daemon.kill()
        assert daemon.wait() in (0, None), "exit status of the daemon after SIGTERM or stop"
        assert not self.pidfile(name).parent.exists(), "a clean exit removes the directory of the instance"

    def records(self, path=None):
        """The lines of a --log=json file or text."""
        text = path if isinstance(path, str) else pathlib.Path(path or self.log).read_text()
        return [json.loads(line) for line in text.splitlines()]

    def log_stages(self, path=None):
        """The stages in a log file, in order."""
        words = pathlib.Path(path or self.log).read_text().split()
        return [word[6:] for word in words if word.startswith("stage=")]

    def until_logged(self, text, path=None):
        self.files.until(path or self.log, lambda content: text in content, repr(text))

    # --- the end

    def leftovers(self):
        """Descendants of this test run (orphans come to us: we are a subreaper), zombies reaped. Whoever has ended since the list
        was made has left us children that are not in it: then once more."""
        ended = True
        while ended:
            ended, found, queue = False, [], children_of(os.getpid())
            while queue:
                pid = queue.pop()
                with contextlib.suppress(ChildProcessError):
                    if os.waitpid(pid, os.WNOHANG)[0]:
                        ended = True
                        continue
                found.append(pid)
                queue += children_of(pid)
        return found

    def settle(self, seconds=LONG):
        """Waits until nothing that was started is left (a starter that fails returns before its daemon has gone)."""
        assert self.settles(seconds), f"after {seconds:g} s there still are {self.leftovers()}"
        return True

    def settles(self, seconds):
        end = time.monotonic() + seconds
        while (pids := self.leftovers()) and time.monotonic() < end:
            fd = os.pidfd_open(pids[0])
            select.select([fd], [], [], max(0, end - time.monotonic()))
            os.close(fd)
        return not pids

    def close(self):
        """Ends everything. Returns a description of what should have been gone."""
        self.pump.turn(0)
        self.settles(GRACE)
        left = []
        while pids := self.leftovers():
            for pid in pids:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    line = pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
                    entry = f"{pid} (ppid, pgid, sid, tty: {stat_of(pid)}) {line[:200]}"
                    left += [entry] if not any(e.startswith(f"{pid} ") for e in left) else []
                    fd = os.pidfd_open(pid)
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
                    self.pump.add(fd, lambda fd=fd: (self.pump.remove(fd), os.close(fd)))
                    self.pump.until(lambda fd=fd: fd not in self.pump.readers, f"the end of {entry}")
        for thing in self.closing + [self.files]:
            thing.close()
        for run in self.runs:
            for pipe in (run.popen.stdout, run.popen.stderr):
                pipe.close()
        if self.who != "root":
            shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.dir)
        if self.turn:
            self.turn.close()
        return left


def clean_fixed_paths():
    """What the fixed paths hold after a test; only ever called in our private /run and /dev."""
    for path in ("/dev/log", "/run/systemd", "/run/amphid", "/var/log/amphid"):
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
