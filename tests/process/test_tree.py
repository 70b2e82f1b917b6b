"""All processes of a job: KillMode= with children that hide, fork bombs, our own SIGKILL, and as PID 1 of a container.

Each runs in a cgroup of the job's own, and without one: a systemd that seems to be booted and has delegated nothing.
"""
import contextlib
import json
import os
import pathlib
import signal

import pytest

import sandbox
from lib import COMMAND, Process, ms

# NAME=FLAGS...: main and its children; d: double-forked, in a session of its own; i: deaf for SIGTERM.
BROOD = """
import os, signal, sys
names = {1: "HUP", 3: "QUIT", 6: "ABRT", 10: "USR1", 12: "USR2", 15: "TERM"}
def tell(text):
    with open(sys.argv[1], "w") as f: f.write(text + "\\n")
def live(name, flags):
    signal.pthread_sigmask(signal.SIG_BLOCK, names)
    tell(f"{name} {os.getpid()}")
    while True:
        n = signal.sigwait(names)
        tell(f"{name} got {names[n]}")
        if n != 1 and not (n == 15 and "i" in flags): os._exit(0)
brood = [word.split("=") for word in sys.argv[2:]]
for name, flags in brood[1:]:
    if os.fork() == 0:
        if "d" in flags:
            os.setsid()
            if os.fork(): os._exit(0)
        live(name, flags)
live(*brood[0])
"""

# 200 of them, all deaf, each in a session of its own if a second word is there: from then on each forks its successor
# and leaves, ten times a second; not for ever, should the test fail. (The unit test has one that takes no rest.)
BOMB = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = time.monotonic() + 60
def fill():
    wait, go = os.pipe()
    for i in range(200):
        if os.fork() == 0:
            os.close(go)
            return os.read(wait, 1)
    os.close(go)
    with open(sys.argv[1], "w") as f: f.write("full\\n")
    while True: signal.pause()
fill()
while time.monotonic() < end:
    time.sleep(0.1)
    if os.fork(): os._exit(0)
    if len(sys.argv) > 2: os.setsid()
"""


class Job:
    """An instance `web` whose COMMAND is a brood; the processes by their names. amphid runs in the cgroup @home, if any:
    so no other test has its cgroups beside ours."""

    def __init__(self, world, kind, home=None):
        self.world, self.kind, self.home, self.members = world, kind, home, {}
        self.cgroup = home and home / "amphid-web"
        self.popen = {"preexec_fn": lambda: (home / "cgroup.procs").write_text("0")} if home else {}

    def start(self, *args, brood=("main=", "plain=", "daemon=d"), command=None):
        self.tell = self.world.tell(f"tell{len(self.world.closing)}")
        command = command or ["/usr/bin/python3", "-ISc", BROOD, self.tell.path, *brood]
        self.world.fork("-n", "web", *args, "--", *command, **self.popen).wait(0)
        self.daemon = self.world.daemon("web")
        for word in brood:
            name = word.split("=")[0]
            self.members[name] = self.born(name)
        if self.cgroup:
            assert self.cgroup.is_dir()
        return self

    def born(self, name):
        """Waits until that one tells its PID."""
        line = self.world.pump.until(lambda: [x for x in self.tell.lines() if x.startswith(name + " ")], name)[0]
        self.tell.expect(line)
        return Process(self.world.pump, line.split()[1])

    def stop(self, code=0):
        return self.world.run("stop", "web", code=code)

    def ended(self, *names):
        for name in names or self.members:
            self.members[name].pump.until(lambda n=name: self.members[n].gone, f"the end of {name}")

    def got(self, *what):
        for line in what:
            self.tell.expect(line)

    def heard_nothing(self, name):
        assert not [line for line in self.tell.lines() if line.startswith(name + " ")], self.tell.lines()

    def end(self, *names):
        """Ends what was meant to survive."""
        for name in names:
            self.members[name].kill(signal.SIGKILL)
            self.ended(name)


@pytest.fixture(params=["cgroup", "subreaper"])
def job(request, world):
    """In a cgroup of its own; or without, as below a systemd that has not delegated ours. Only root has a choice."""
    if request.param == "cgroup" and (world.who != "root" or not sandbox.cgroup_root()):
        pytest.skip("no cgroup of version 2 can be made here")
    booted = pathlib.Path("/run/systemd/system")
    if request.param == "subreaper" and world.who == "root":
        booted.mkdir(parents=True)
    home = sandbox.cgroup_root() / f"test-{os.getpid()}" if request.param == "cgroup" else None
    if home:
        home.mkdir()
    yield Job(world, request.param, home)
    if booted.is_dir() and world.who == "root":
        booted.rmdir()
    if home:
        remove_cgroup(world, home)


def remove_cgroup(world, path):
    """Whoever is still in it was meant to survive its amphid, or the test has failed."""
    with contextlib.suppress(FileNotFoundError):
        (path / "cgroup.kill").write_text("1")
    assert world.settle()
    sandbox.remove_cgroup(path)


# --- KillMode=, systemd.kill(5)

@pytest.mark.everyone
def test_control_group(job):
    job.start().stop()
    job.got("main got TERM", "plain got TERM", "daemon got TERM")
    job.ended()
    assert job.daemon.wait() == 0
    assert not job.cgroup or not job.cgroup.exists()


def test_mixed(job):
    job.start("-p", "KillMode=mixed").stop()
    job.got("main got TERM")
    job.ended()
    job.heard_nothing("plain")
    job.heard_nothing("daemon")
    assert job.daemon.wait() == 0


@pytest.mark.parametrize("mode", ["process", "none"])
def test_who_may_stay(job, mode):
    job.start("-p", f"KillMode={mode}").stop()
    assert job.daemon.wait() == 0
    if mode == "process":
        job.got("main got TERM")
        job.ended("main")
    stay = [name for name in job.members if mode == "none" or name != "main"]
    job.world.pump.never(lambda: any(job.members[name].gone for name in stay), "the end of one that may stay")
    for name in stay:
        job.heard_nothing(name)
    job.end(*stay)


@pytest.mark.everyone
def test_the_deaf_are_killed_in_the_end(job):
    job.start("-p", f"TimeoutStopSec={ms(150)}", brood=("main=", "plain=i", "daemon=di")).stop()
    job.got("main got TERM", "plain got TERM", "daemon got TERM")
    job.ended()
    assert job.daemon.wait() != 0
    assert "timeout" in job.world.log.read_text()


def test_final_kill_signal(job):
    job.start("-p", f"TimeoutStopSec={ms(150)}", "-p", "FinalKillSignal=SIGQUIT", brood=("main=i", "daemon=di")).stop()
    job.got("main got TERM", "daemon got TERM", "main got QUIT", "daemon got QUIT")
    job.ended()
    job.daemon.wait()


def test_send_sighup(job):
    job.start("-p", "SendSIGHUP=yes", "-p", f"TimeoutStopSec={ms(500)}", brood=("main=i", "daemon=di")).stop()
    job.got("main got TERM", "main got HUP", "daemon got TERM", "daemon got HUP")
    job.ended()
    job.daemon.wait()


def test_send_no_sigkill(job):
    job.start("-p", "SendSIGKILL=no", "-p", f"TimeoutStopSec={ms(150)}", brood=("main=", "daemon=di")).stop()
    job.daemon.wait()
    assert job.members["daemon"].alive()
    job.end("daemon")


def test_the_stopped_hear_it(job):
    job.start()
    for process in job.members.values():
        process.kill(signal.SIGSTOP)
    job.stop()
    job.got("main got TERM", "plain got TERM", "daemon got TERM")
    job.ended()
    assert job.daemon.wait() == 0


def test_exec_stop(job):
    """It is told who the main process is; then whoever is left is ended as ever."""
    job.start("-p", "ExecStop=/bin/kill -USR1 $MAINPID").stop()
    job.got("main got USR1", "plain got TERM", "daemon got TERM")
    job.ended()
    assert job.daemon.wait() == 0


def test_what_is_left_when_main_ends(job):
    """As systemd does: the end of the main process is the end of the service, and of whoever else is in it."""
    job.start()
    job.members["main"].kill()
    job.got("main got TERM", "plain got TERM", "daemon got TERM")
    job.ended()
    assert job.daemon.wait() == 0


def test_status_shows_the_tree(job):
    job.start()

    def pids():
        status = json.loads(job.world.run("status", "web", "--json", code=0).out)
        return status["jobs"][0]["pids"]

    for _ in range(20):  # what has double-forked may be ending still
        if len(pids()) == len(job.members):
            break
    assert pids()[0] == job.members["main"].pid
    assert set(pids()) == {process.pid for process in job.members.values()}
    job.stop()
    job.ended()


# --- what forks faster than one can look

@pytest.mark.parametrize("sessions", [True, False], ids=["sessions", "one session"])
def test_fork_bomb(job, sessions):
    tell = job.world.tell("full")
    words = ["sessions"] if sessions else []
    job.start("-p", f"TimeoutStopSec={ms(500)}", brood=(),
              command=["/usr/bin/python3", "-ISc", BOMB, tell.path, *words])
    tell.expect("full")
    job.stop()
    assert job.daemon.wait() != 0
    assert job.world.settle(), "nothing is left"


def test_restart_after_a_kill(job):
    """Who starts in a cgroup that was killed before lives."""
    job.start("--restart=always", "-p", "KillMode=mixed", "-p", "RestartSec=0")
    for _ in range(3):
        old = dict(job.members)
        old["main"].kill(signal.SIGKILL)
        for process in old.values():
            job.world.pump.until(lambda p=process: p.gone, "the end of the last life")
        for name in old:
            job.members[name] = job.born(name)
    job.stop()
    job.ended()
    assert job.daemon.wait() == 0


# --- our own SIGKILL

def test_never_two_copies(job):
    """A killed amphid's main process is told to end; what stays deaf is killed by the next start, before its COMMAND
    runs, where there is a cgroup to find it in."""
    job.start(brood=("main=", "plain=i", "daemon=di"))
    job.daemon.kill(signal.SIGKILL)
    job.daemon.wait()
    old = dict(job.members)
    job.got("main got TERM")
    job.ended("main")
    if job.kind == "subreaper":
        job.end("plain", "daemon")
    job.start()
    assert all(process.gone for process in old.values())
    job.stop()
    job.ended()
    job.daemon.wait()


def test_what_may_stay_outlives_our_sigkill(job):
    job.start("-p", "KillMode=none")
    job.daemon.kill(signal.SIGKILL)
    job.daemon.wait()
    for name, process in job.members.items():
        job.heard_nothing(name)
        assert process.alive()
    job.end(*job.members)


# --- PID 1 of a container

def as_init(world, *args, command, **kw):
    """amphid as PID 1 of a PID namespace with its own /proc."""
    if world.who != "root":
        pytest.skip("needs root (a PID namespace)")
    return world.start(argv=["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", *COMMAND,
                             f"--log=file:{world.log}", "-n", "web", *args, "--", *command], **kw)


@pytest.mark.parametrize("order, code", [("exit 0", 0), ("exit 7", 7), ("kill KILL", 137), ("kill ABRT", 134)])
def test_init_exits_as_its_main_process(world, order, code):
    command, tell, gate = world.actor()
    run = as_init(world, command=command)
    tell.expect("up")
    gate.say(order)
    run.wait(code)


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_init_stops(world, name):
    command, tell, gate = world.actor("TERM")
    run = as_init(world, command=command)
    tell.expect("up")
    init, = [Process(world.pump, pid) for pid in Process(world.pump, run.pid).children()]
    init.kill(getattr(signal, "SIG" + name))
    tell.expect("got TERM")
    gate.say("exit 0")
    run.wait(0)


def test_init_reaps_all(world):
    """Orphans of all kinds come to it; none stays a zombie."""
    tell = world.tell()
    script = f"""
        for i in 1 2 3 4 5 6 7 8 9 10; do (setsid sh -c 'true & true' &); done
        while ps -eo stat= | grep -q Z || test $(ps -eo pid= | wc -l) -gt 5; do :; done; echo clean > {tell.path}
        cat {world.fifo('gate').path}"""
    run = as_init(world, command=["sh", "-c", script])
    tell.expect("clean")
    init, = [Process(world.pump, pid) for pid in Process(world.pump, run.pid).children()]
    init.kill()
    run.wait(143)


def test_init_ends_all(world):
    job = Job(world, "init")
    job.tell = world.tell()
    run = as_init(world, command=["/usr/bin/python3", "-ISc", BROOD, job.tell.path, "main=", "plain=", "daemon=d"])
    for name in ("main", "plain", "daemon"):
        world.pump.until(lambda n=name: [x for x in job.tell.lines() if x.startswith(n + " ")], name)
    init, = [Process(world.pump, pid) for pid in Process(world.pump, run.pid).children()]
    init.kill()
    job.got("main got TERM", "plain got TERM", "daemon got TERM")
    run.wait(0)
