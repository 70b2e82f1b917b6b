"""What goes wrong around a service: no descriptors, no processes, no space, no program, no time, and no amphid."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

import pytest

import sandbox
from lib import COMMAND, FACTOR, SANITIZED, Process, ms

ALWAYS = ("--restart=always", "-p", "StartLimitIntervalSec=0")


def job(world):
    found, = json.loads(world.run("status", "web", "--json").out)["jobs"]
    return found


def count(world, text, times):
    """Waits until @text has been logged @times times."""
    world.files.until(world.log, lambda content: content.count(text) >= times, f"{times} times {text!r}")


def squeeze(world, pid, what, soft):
    """Sets a soft limit of a running process, as its user: to do it to somebody else's takes a capability."""
    user = {"user": world.uid, "group": world.uid, "extra_groups": []} if world.as_user else {}
    subprocess.run(["prlimit", f"--pid={pid}", f"--{what}={soft}:"], check=True, **user)


def no_more_descriptors(world, daemon):
    """From now on it can open nothing. Returns how that is undone."""
    used = daemon.fds()
    old, _ = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    squeeze(world, daemon.pid, "nofile", next(n for n in range(len(used) + 1) if n not in used))
    return lambda: squeeze(world, daemon.pid, "nofile", old)


def without_leak_check(world):
    """To look for leaks at its end a sanitizer needs descriptors, and gives an exit status of its own without."""
    world.env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


# --- no descriptors

@pytest.mark.no_wrapper
@pytest.mark.parametrize("left", [1, 0], ids=["used-up", "less-than-polled"])
def test_no_descriptor_under_the_soft_limit(world, left):
    """Who asks is let in all the same, and what is waited for is heard: it can be stopped. What it starts gets no more."""
    without_leak_check(world)
    with world.forked(*ALWAYS) as daemon:
        if left:
            no_more_descriptors(world, daemon)
        else:
            squeeze(world, daemon.pid, "nofile", 2)
        limit = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        child = daemon.only_child()
        world.run("is-ready", "web", code=0)
        world.run("status", "web", code=0)
        assert child.alive() and resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE) == limit
        world.run("stop", "web", code=0)
        assert child.gone


@pytest.mark.no_wrapper
def test_no_descriptor_for_who_asks(world):
    """Beyond the hard limit nobody is let in, which must not become a busy loop, nor disturb the service."""
    without_leak_check(world)
    with world.forked() as daemon:
        child = daemon.only_child()
        used = daemon.fds()
        free = next(n for n in range(len(used) + 1) if n not in used)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (free, free))
        asking = world.start("status", "web")
        before = cpu_of(daemon.pid)
        signal.sigtimedwait([signal.SIGWINCH], 0.7)  # time passes: a busy loop would use all of it
        assert cpu_of(daemon.pid) - before < 0.2 and child.alive()
    assert asking.wait().code != 0, "it has ended meanwhile"


@pytest.mark.no_wrapper
def test_no_descriptor_for_a_restart(world):
    """The policy holds for a start that fails, too: with descriptors it comes back."""
    with world.forked(*ALWAYS, "-p", f"RestartSec={ms(50)}", "--ready=fd:5", command=[
            "sh", "-c", f"echo >&5; exec cat {world.holder()[1]}"]) as daemon:
        world.until_held()
        undo = no_more_descriptors(world, daemon)
        daemon.only_child().kill(signal.SIGKILL)
        count(world, "stage=restart", 3)
        assert "Too many open files" in world.log.read_text()
        undo()
        world.until_held()
        count(world, "stage=ready", 2)
        assert job(world)["state"] == "up"


# --- no processes

@pytest.mark.no_wrapper
@pytest.mark.user
def test_fork_fails(world):
    """RLIMIT_NPROC: no child can be made. It is told, tried again by the policy, and goes on when there is room."""
    with world.forked(*ALWAYS, "-p", f"RestartSec={ms(50)}") as daemon:
        old, _ = resource.prlimit(os.getpid(), resource.RLIMIT_NPROC)
        squeeze(world, daemon.pid, "nproc", 1)
        daemon.only_child().kill(signal.SIGKILL)
        count(world, "Resource temporarily unavailable", 2)
        assert daemon.alive()
        squeeze(world, daemon.pid, "nproc", old if old >= 0 else "unlimited")
        world.until_held()
        assert daemon.only_child().alive()


@pytest.mark.no_wrapper
@pytest.mark.user
@pytest.mark.parametrize("most", [0, 2], ids=["first fork", "second fork"])
def test_fork_fails_at_the_first_start(world, most):
    """The starter can be forked no more, or its child cannot: it says so, in its own name, and leaves nothing behind."""
    if most and not world.as_user:
        pytest.skip("needs a user who runs nothing else: the limit is for all that he runs")
    run = world.fork("-n", "web", "--", "true",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (most, most))).wait()
    said = "amphid: web: cannot fork: Resource temporarily unavailable (RLIMIT_NPROC, or pids.max of a cgroup)\n"
    assert (run.code, run.err) == (1, said) or (SANITIZED and run.err.startswith(said)), run  # the leak check has to fork, too
    records = world.log.read_text().splitlines()
    assert "stage=failed" in records[-1] and f" pid={run.pid} " in records[-1]
    assert ("stage=setsid" in records[-2]) == (most == 2)
    assert not world.pidfile("web").parent.exists()


# --- no program

def program(world):
    path = world.work / "program"
    shutil.copy("/bin/cat", path)
    path.chmod(0o755)
    return path


@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_a_program_that_is_removed_between_two_lives(world):
    """203 as at a first start, and Restart= applies until the limit."""
    path = program(world)
    world.fork("-n", "web", "--restart=on-failure", "-p", "RestartSec=0", "-p", "StartLimitBurst=3", "--", path,
               world.holder()[1]).wait(0)
    world.until_held()
    daemon = world.daemon("web")
    path.unlink()
    daemon.only_child().kill(signal.SIGKILL)
    assert daemon.wait() == 203
    log = world.log.read_text()
    assert log.count("stage=restart") == 3, "the last of them is what the limit forbids"
    assert "No such file" in log and str(path) in log and "result=start-limit-hit" in log


@pytest.mark.no_wrapper
def test_a_program_that_comes_back(world):
    """As during an upgrade of its package."""
    path = program(world)
    with world.forked(*ALWAYS, "-p", f"RestartSec={ms(50)}", command=[path, world.holder()[1]]) as daemon:
        world.until_held()
        path.rename(f"{path}.away")
        daemon.only_child().kill(signal.SIGKILL)
        count(world, "No such file", 1)
        pathlib.Path(f"{path}.away").rename(path)
        world.until_held()
        assert daemon.only_child().alive()


# --- signals

@pytest.mark.everyone
def test_a_child_that_is_stopped_by_a_signal(world):
    """SIGSTOP: it hears SIGTERM because SIGCONT follows."""
    with world.forked("-p", "TimeoutStopSec=1h") as daemon:
        child = daemon.only_child()
        child.kill(signal.SIGSTOP)
        world.run("stop", "web", code=0)
        assert child.gone


@pytest.mark.everyone
def test_a_child_that_is_killed(world):
    with world.forked("--restart=on-failure", "-p", "RestartSec=0") as daemon:
        old = daemon.only_child()
        old.kill(signal.SIGKILL)
        world.until_held()
        assert old.gone and daemon.only_child().alive() and job(world)["restarts"] == 1
    assert "SIGKILL" in world.log.read_text()


@pytest.mark.everyone
def test_amphid_is_killed(world):
    """Its child ends with it, and the next start makes the only copy."""
    world.fork("-n", "web", "--", *world.holder()).wait(0)
    world.until_held()
    daemon = world.daemon("web")
    child = daemon.only_child()
    daemon.kill(signal.SIGKILL)
    daemon.wait()
    world.pump.until(lambda: child.gone, "the end of the child")
    with world.forked() as daemon:
        copies = [pid for pid in world.leftovers()
                  if pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:2] == world.holder()]
        assert copies == daemon.children() and len(copies) == 1


def test_amphid_is_killed_while_it_waits_to_restart(world):
    """Nothing runs, nothing is left, and a new start is not in anybody's way."""
    world.fork("-n", "web", "--restart=always", "-p", "RestartSec=1h", "--", "true").wait(0)
    count(world, "stage=restart", 1)
    daemon = world.daemon("web")
    daemon.kill(signal.SIGKILL)
    daemon.wait()
    assert world.settle()
    with world.forked():
        pass


# --- no space

@pytest.fixture
def full(world):
    """/run/amphid on a file system of its own, without room for one byte."""
    if world.who != "root":
        pytest.skip("needs root (a tmpfs of its own)")
    world.base.mkdir(exist_ok=True)
    try:
        sandbox.mount("tmpfs", world.base, "tmpfs", data="mode=755,size=16k")
    except OSError as error:
        pytest.skip(f"no tmpfs can be mounted: {error}")
    filler = world.base / ".filler"
    with open(filler, "wb", buffering=0) as f, pytest.raises(OSError):
        while True:
            f.write(b"x" * 4096)
    yield filler
    world.settle()
    sandbox.check(sandbox.libc.umount2(str(world.base).encode(), 2))


@pytest.mark.root
def test_no_space_for_the_pid_file(world, full):
    run = world.fork("-n", "web", "--", *world.holder()).wait()
    assert run.code != 0 and "No space left on device" in run.err, run
    assert world.settle(), "nothing was started"
    assert not (world.base / "web" / "pid").exists() or not (world.base / "web" / "pid").read_text()
    full.unlink()
    with world.forked():
        world.run("status", "web", code=0)


# --- the clock

CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
int clock_gettime(clockid_t id, struct timespec *ts)
{
    struct stat st;
    int r = (int)syscall(SYS_clock_gettime, id, ts);
    if (id == CLOCK_REALTIME && stat(getenv("JUMP"), &st) == 0)
        ts->tv_sec += st.st_size - (1 << 30);
    return r;
}
"""


@pytest.fixture
def jump(world):
    """Lets the clock of the wall jump for amphid alone, by seconds. The size of a (sparse) file is how far."""
    if not (cc := shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("needs a C compiler (a clock of our own)")
    if SANITIZED:
        pytest.skip("a sanitizer wants to be loaded first")
    library, size = world.dir / "clock.so", world.dir / "jump"
    subprocess.run([cc, "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=CLOCK, text=True, check=True)

    def by(seconds):
        with open(size, "ab") as f:
            f.truncate((1 << 30) + seconds)
    by(0)
    world.env.update(LD_PRELOAD=str(library), JUMP=str(size))
    return by


@pytest.mark.no_wrapper
@pytest.mark.parametrize("seconds", [400 * 86400, -400 * 86400], ids=["forward", "back"])
def test_the_clock_jumps(world, jump, seconds):
    """No time limit and no delay is shorter or longer for it; only what status shows is of the new time."""
    with world.forked("--restart=always", "-p", f"RestartSec={ms(400)}", "-p", f"TimeoutStopSec={ms(5000)}",
                      "--health=file:/proc", f"--health-interval={ms(30)}") as daemon:
        jump(seconds)
        world.until_logged("health=healthy")
        begin = time.monotonic()
        daemon.only_child().kill(signal.SIGKILL)
        count(world, "stage=restart", 1)
        jump(2 * seconds)
        world.until_held()
        assert 0.4 * FACTOR <= time.monotonic() - begin < 3 * FACTOR
        assert abs(job(world)["since"] / 1e6 - time.time() - 2 * seconds) < 60
    assert "it did not stop in time" not in world.log.read_text()


@pytest.mark.no_wrapper
@pytest.mark.root
@pytest.mark.parametrize("offset", ["86400000", "-10"])
def test_another_monotonic_clock(world, offset):
    """As a machine that has been up for years, or a container that was moved to another: a time namespace."""
    command = ["unshare", "--time", "--monotonic", offset, "--boottime", offset]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("the kernel refuses a time namespace")
    r = world.start(argv=[*command, "--fork", "--kill-child", *COMMAND, f"--log=file:{world.log}", "-n", "web",
                          "-p", f"RestartSec={ms(100)}", "--restart=always", "--ready=file:/proc", "--",
                          *world.holder()])
    world.until_held()
    count(world, "stage=ready", 1)
    found = job(world)
    assert abs(found["since"] / 1e6 - time.time()) < 60 * FACTOR
    begin = time.monotonic()
    Process(world.pump, found["mainPid"]).kill(signal.SIGKILL)
    world.until_held()
    assert 0.1 * FACTOR <= time.monotonic() - begin < 3 * FACTOR
    world.run("stop", "web", code=0)
    r.wait(0)
