"""SIGKILL of the daemon where no cgroup holds its processes together: the next start ends all that is left, and nothing else."""
import os
import pathlib
import signal
import subprocess

import pytest

import sandbox
from lib import COMMAND, Process, ms

# Whoever does not hear SIGTERM outlives the daemon: the main process is told its end by one.
SCRIPT = 'trap "" TERM; hold() {{ sh {hold}; }}; {what}'
BACKGROUND = "hold & hold"
DETACHED = "(setsid sh {hold} &); hold"  # in a session of its own, and its parent has gone
DISGUISED = "(env -i setsid sh {hold} &); hold"  # and knows nothing of its environment
KILLED = "killed what an instance before this one had left behind"


class Remains:
    def __init__(self, world):
        self.world = world
        self.told = world.tell("held")
        self.hold = world.work / "hold.sh"
        self.hold.write_text(f"echo $$ > {self.told.path}; exec cat {world.holder()[1]}\n")

    def script(self, what):
        return SCRIPT.format(hold=self.hold, what=what.format(hold=self.hold))

    def unit(self, what, *lines):
        path = self.world.work / "web.service"
        script = self.world.work / "script"
        script.write_text(self.script(what))
        path.write_text("\n".join(["[Service]", f"ExecStart=/bin/sh {script}", f"TimeoutStopSec={ms(50)}", *lines]))
        return [path]

    def line(self, what):
        return ["-n", "web", "-p", f"TimeoutStopSec={ms(50)}", "--", "/bin/sh", "-c", self.script(what)]

    def held(self, n):
        """The next @n processes that are at work."""
        self.world.pump.until(lambda: len(self.told.lines()) >= n, lambda: f"{n} processes: {self.told.lines()}")
        pids, self.told.buffer = self.told.lines(), ""
        assert len(pids) == n
        return [Process(self.world.pump, pid) for pid in pids]

    def start(self, args, n):
        """Starts it outside of any cgroup of its own, and waits until @n processes are at work."""
        hide = sandbox.hide_cgroups if self.world.who == "root" else None
        self.world.fork(*args, preexec_fn=hide).wait(0)
        return self.held(n)

    def kill(self):
        """SIGKILL to the daemon, which ends the main process with SIGTERM if it hears that."""
        daemon = self.world.daemon("web")
        daemon.kill(signal.SIGKILL)
        daemon.wait()

    def stop(self):
        self.world.run("stop", "web", code=0)
        assert not (self.world.base / "web").exists()


@pytest.fixture
def remains(world):
    return Remains(world)


def gone(processes):
    return [not process.alive() for process in processes]


@pytest.mark.no_wrapper
@pytest.mark.everyone
@pytest.mark.parametrize("what", [BACKGROUND, DETACHED, DISGUISED], ids=["background", "detached", "disguised"])
def test_a_unit_leaves_nothing(remains, what):
    unit = remains.unit(what)
    old = remains.start(unit, 2)
    remains.kill()
    assert gone(old) == [False, False], "else this shows nothing"
    new = remains.start(unit, 2)
    assert gone(old) == [True, True] and gone(new) == [False, False]
    remains.world.until_logged(KILLED)
    remains.stop()


@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_a_command_line_leaves_nothing_of_its_session(remains):
    if not os.path.exists("/proc/self/autogroup"):
        pytest.skip("a kernel without CONFIG_SCHED_AUTOGROUP: only the main process is known")
    line = remains.line("(sh {hold} &); trap - TERM; hold")
    old = remains.start(line, 2)
    remains.kill()
    assert gone(old) == [False, False], "but the main process is"
    remains.start(line, 2)
    assert gone(old) == [True, True]
    remains.stop()


@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_what_kill_mode_spares(remains):
    """KillMode=process ends the main process alone, also afterwards."""
    unit = remains.unit(DETACHED, "KillMode=process")
    old = remains.start(unit, 2)
    main = Process(remains.world.pump, next(p.stat()["ppid"] for p in old if p.stat()["sid"] != p.pid))
    remains.kill()
    assert main.alive()
    new = remains.start(unit, 2)
    assert not main.alive() and gone(old) == [False, False]
    remains.stop()
    for process in old + new:
        process.kill(signal.SIGKILL)
    assert remains.world.settle()


# A number of a session that none has: they are counted from 1 at boot, and whoever has 1 is real.
NOBODYS = 2**62


@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_nobody_else_is_touched(remains):
    """Neither another instance, nor whoever has a PID that is written down; what cannot be understood is no harm."""
    world = remains.world
    user = {"user": world.uid, "group": world.uid, "extra_groups": []} if world.as_user else {}
    popen = subprocess.Popen(["sh", remains.hold], env={"INVOCATION_ID": "0" * 32}, **user)
    foreign, = remains.held(1)
    other, = remains.start(["-n", "other", "--", "sh", remains.hold], 1)
    unit = remains.unit("hold")
    old = remains.start(unit, 1)
    remains.kill()
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    born = pathlib.Path(f"/proc/{foreign.pid}/stat").read_text().rpartition(")")[2].split()[19]
    for i, text in enumerate([f"{int(born) + 1} {boot} alone", f"{int(born) + 1} {boot} below",
                              f"{born} another-boot {'0' * 32}", f"0 {boot} {'1' * 32}", f"0 {boot} @{NOBODYS}", f"0 {boot} alone",
                              f"{born} {boot}", "", "x" * 300]):
        (world.base / "web" / f"main.{i + 1}").write_text(f"{foreign.pid} {text}")
    remains.start(unit, 1)
    assert not list((world.base / "web").glob("main.?"))
    assert gone([*old, foreign, other]) == [True, False, False]
    remains.stop()
    world.run("stop", "other", code=0)
    popen.kill()
    popen.wait()


@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_who_starts_it_is_spared(remains):
    """A process that was left and starts the next instance itself, as a script in the background does."""
    world = remains.world
    go, told = world.fifo("go"), world.tell()
    script = world.work / "again"
    unit, = remains.unit(f"(sh {script} &); hold", *(f"Environment={key}={value}" for key, value in world.env.items()))
    script.write_text(f"read x < {go.path}\n{' '.join(COMMAND)} --fork {unit} > {world.work}/said 2>&1\necho started $? > {told.path}\n")
    old = remains.start([unit], 1)
    remains.kill()
    go.say("now")
    told.expect("started 0")
    remains.held(1)
    assert gone(old) == [True]
    remains.stop()
    assert world.settle()
