"""Restart=: which end is followed by a new life, when, how often, and what a restart costs."""
import json
import os
import pathlib
import re
import signal
import time

import pytest

from lib import FACTOR, LONG, SANITIZED, Process, ms

HEAVY = bool(os.environ.get("AMPHID_HEAVY"))
NOW = ("-p", "RestartSec=0")
NO_LIMIT = ("-p", "StartLimitIntervalSec=0")

# What a life of number $n does is in the script; it is counted in a file.
COUNT = 'n=0; read -r n < lives; n=$((n+1)); echo $n > lives; '


def lives(world):
    return int((world.work / "lives").read_text())


def command(world, script):
    path = world.work / "lives"
    path.write_text("0\n")
    if world.as_user:
        os.chown(path, world.uid, world.uid)
    return ["sh", "-c", COUNT + script]


def run(world, *args, script, **kw):
    """In the foreground. The directory of COMMAND is the caller's."""
    return world.start(f"--log=file:{world.log}", "-n", "web", *args, "--", *command(world, script), **kw)


def fork(world, *args, script):
    return world.fork("-n", "web", "-p", f"WorkingDirectory={world.work}", *args, "--", *command(world, script))


def job(world):
    found, = json.loads(world.run("status", "web", "--json").out)["jobs"]
    return found


def until_auto_restart(world):
    """Waits until it waits for its next life. The record comes a moment before the state can be asked for."""
    world.until_logged("stage=restart")
    end = time.monotonic() + LONG
    while job(world)["state"] != "auto-restart":
        assert time.monotonic() < end, job(world)
    return job(world)


# --- which end: systemd.service(5), "Exit causes and the effect of the Restart= settings"

CAUSES = {
    "exit 0": ({"always", "on-success"}, "exit 0", ()),
    "exit 1": ({"always", "on-failure"}, "exit 1", ()),
    "SIGTERM": ({"always", "on-success"}, "kill -TERM $$", ()),
    "SIGKILL": ({"always", "on-failure", "on-abnormal", "on-abort"}, "kill -KILL $$", ()),
    "SIGABRT": ({"always", "on-failure", "on-abnormal", "on-abort"}, "kill -ABRT $$", ()),
    "timeout": ({"always", "on-failure", "on-abnormal"}, "exec cat {hold}",
                ("-p", "Type=notify", "-p", f"TimeoutStartSec={ms(500)}")),
    "watchdog": ({"always", "on-failure", "on-abnormal", "on-watchdog"}, "exec cat {hold}",
                 ("-p", "NotifyAccess=main", "-p", f"WatchdogSec={ms(500)}")),
}
POLICIES = ["no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cause", CAUSES)
def test_table(world, cause, policy):
    """The second life, if there is one, ends with a status that is never followed by a third."""
    restarted, end, args = CAUSES[cause]
    end = end.format(hold=world.holder()[1])
    r = run(world, *NOW, *args, f"--restart={policy}", "-p", "RestartPreventExitStatus=42",
            script=f'[ $n = 2 ] && exit 42; {end}').wait()
    assert (lives(world), r.code == 42) == ((2, True) if policy in restarted else (1, False)), r
    assert world.log.read_text().count("stage=restart") == lives(world) - 1


@pytest.mark.parametrize("end, status", [("exit 7", "7"), ("kill -KILL $$", "SIGKILL"), ("exit 75", "TEMPFAIL")])
def test_success_exit_status(world, end, status):
    r = run(world, "--restart=on-failure", "-p", f"SuccessExitStatus={status}", script=end).wait()
    assert lives(world) == 1
    assert "stage=failed" not in world.log.read_text(), r


@pytest.mark.parametrize("end, status", [("exit 7", "7"), ("kill -KILL $$", "SIGKILL"), ("exit 7", "3 7 SIGTERM")])
def test_restart_prevent_exit_status(world, end, status):
    r = run(world, *NOW, "--restart=always", "-p", f"RestartPreventExitStatus={status}", script=end).wait()
    assert lives(world) == 1 and r.code == (7 if end == "exit 7" else 128 + signal.SIGKILL)


@pytest.mark.parametrize("policy", ["no", "on-success"])
def test_restart_force_exit_status(world, policy):
    run(world, *NOW, f"--restart={policy}", "-p", "RestartForceExitStatus=7",
        script="[ $n = 3 ] && exit 8; exit 7").wait(8)
    assert lives(world) == 3


def test_oneshot_is_not_started_again_when_it_is_done(world):
    run(world, *NOW, "-p", "Type=oneshot", "--restart=on-failure", script="[ $n = 3 ]; exit $?").wait(0)
    assert lives(world) == 3


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
def test_who_is_stopped_stays_so(world, how):
    r = run(world, *NOW, "--restart=always", script=f"exec cat {world.holder()[1]}")
    world.until_held()
    if how == "stop":
        world.run("stop", "web", code=0)
    else:
        r.kill()
    r.wait(0)
    assert lives(world) == 1


# --- how often

@pytest.mark.everyone
def test_start_limit(world):
    r = run(world, *NOW, "--restart=always", "-p", "StartLimitBurst=3", script="exit 7").wait(7)
    log = world.log.read_text()
    assert lives(world) == 3
    assert "result=start-limit-hit" in log and "started 3 times" in log and "StartLimitBurst=" in log
    assert "StartLimitBurst=" in r.err


def test_default_start_limit(world):
    """systemd.unit(5) and systemd-system.conf(5): five in ten seconds."""
    run(world, *NOW, "--restart=always", script="exit 7").wait(7)
    assert lives(world) == 5


def test_the_limit_is_for_an_interval(world):
    """Slower than the limit: no end."""
    run(world, "--restart=always", "-p", f"RestartSec={ms(60)}", "-p", "StartLimitBurst=2",
        "-p", f"StartLimitIntervalSec={ms(50)}", "-p", "RestartPreventExitStatus=8",
        script="[ $n = 8 ] && exit 8; exit 7").wait(8)


def test_a_clean_end_counts_for_the_limit_too(world):
    run(world, *NOW, "--restart=always", "-p", "StartLimitBurst=4", script="exit 0").wait()
    assert lives(world) == 4 and "result=start-limit-hit" in world.log.read_text()


# --- when

def delays(world):
    return [float(s) for s in re.findall(r"restart \d+ in ([0-9.]+) s", world.log.read_text())]


def test_restart_sec(world):
    begin = time.monotonic()
    run(world, "--restart=always", "-p", f"RestartSec={ms(300)}", "-p", "RestartPreventExitStatus=8",
        script="[ $n = 2 ] && exit 8; exit 7").wait(8)
    assert time.monotonic() - begin >= 0.3 * FACTOR
    assert delays(world) == [pytest.approx(0.3 * FACTOR, abs=0.002)]


def grow(world, *args, last):
    run(world, "--restart=always", *NO_LIMIT, "-p", "RestartPreventExitStatus=8", *args,
        script=f"[ $n = {last} ] && exit 8; exit 7").wait(8)
    return delays(world)


def test_delays_grow(world):
    """systemd.service(5), RestartSteps=: exponentially, up to RestartMaxDelaySec=, here with jitter."""
    found = grow(world, "-p", "RestartSec=20ms", "-p", "RestartMaxDelaySec=160ms", "-p", "RestartSteps=3", last=7)
    assert found == [pytest.approx(x, rel=0.11, abs=0.003) for x in (0.02, 0.04, 0.08, 0.16, 0.16, 0.16)]


def test_delays_are_forgiven(world):
    """After a life that was long enough the delay begins anew."""
    found = grow(world, "-p", "RestartSec=15ms", "-p", "RestartMaxDelaySec=10s", "-p", "RestartSteps=2",
                 "-p", "RestartResetSec=1us", last=5)
    assert found == [pytest.approx(0.0155, abs=0.0025)] * 4


def test_delays_do_not_grow_by_themselves(world):
    assert len(set(grow(world, "-p", "RestartSec=20ms", last=4))) == 1


# --- it is told

@pytest.mark.everyone
def test_restarts_are_counted(world):
    tell, gate = world.tell(), world.fifo("gate")
    r = run(world, *NOW, "--restart=always", script=f"echo $n > {tell.path}; read -r x < {gate.path}; exit 7")
    for n in (1, 2, 3):
        tell.expect(str(n))
        found = job(world)
        assert found["restarts"] == n - 1 and found["state"] == "up"
        if n > 1:
            assert (found["exitCode"], found["exitStatus"]) == ("exited", 7)
        gate.say("end")
    tell.expect("4")
    assert re.findall(r" restarts=(\d+) ", world.log.read_text()) == ["1", "2", "3"]
    assert "3" in world.run("status", "web").out
    world.run("stop", "web", code=0)
    r.wait()


def test_the_time_of_the_next_start_is_told(world):
    r = run(world, "--restart=always", "-p", "RestartSec=1h", script="exit 7")
    found = until_auto_restart(world)
    assert found["mainPid"] is None and 3500 < found["nextStart"] / 1e6 - time.time() <= 3600
    world.run("stop", "web", code=0)
    r.wait()


# --- the starter

@pytest.mark.everyone
def test_a_later_attempt_succeeds(world):
    """The starter waits on, tells why, and its exit is that of the last attempt."""
    command, tell, gate = world.actor()
    flag = " ".join(f"'{word}'" for word in map(str, command[:2]))
    path = world.work / "lives"
    script = COUNT + f'[ $n -lt 3 ] && echo no luck >&2 && exit 9; exec {flag} "$@"'
    path.write_text("0\n")
    os.chown(path, world.uid, world.uid)
    starter = world.fork("-n", "web", "-p", f"WorkingDirectory={world.work}", "-p", "Type=notify",
                         "--restart=on-failure", *NOW, "--", "sh", "-c", script, "sh", *command[2:])
    tell.expect("up")
    starter.still_waits()
    gate.say("notify READY=1")
    starter.wait(0)
    assert [line.split("; ")[-1].split(" in ")[0] for line in starter.err.splitlines() if "restart" in line] \
        == ["restart 1", "restart 2"], starter
    assert all("ended with 9" in line for line in starter.err.splitlines() if "restart" in line)
    assert job(world)["restarts"] == 2
    world.run("stop", "web", code=0)
    world.settle()


def test_no_attempt_succeeds(world):
    starter = fork(world, *NOW, "-p", "Type=notify", "--restart=on-failure", "-p", "StartLimitBurst=3",
                   script="exit 9").wait(9)
    assert lives(world) == 3 and "StartLimitBurst=" in starter.err


# --- by order

@pytest.mark.everyone
def test_restart_verb(world):
    with world.forked() as daemon:
        old = daemon.only_child()
        world.run("restart", "web", code=0)
        world.until_held()
        assert old.gone and daemon.only_child().pid != old.pid
        assert job(world)["state"] == "up"


def test_restart_verb_waits_for_ready(world):
    command, tell, gate = world.actor()
    starter = world.fork("-n", "web", "-p", "Type=notify", "--", *command)
    tell.expect("up")
    gate.say("notify READY=1")
    starter.wait(0)
    tell.expect("did notify")
    again = world.start("restart", "web")
    tell.expect("up")
    again.still_waits()
    gate.say("notify READY=1")
    again.wait(0)
    world.run("stop", "web", code=0)
    world.settle()


def test_restart_verb_that_fails_tells_why(world):
    command, tell, gate = world.actor()
    starter = world.fork("-n", "web", "-p", "Type=notify", "--", *command)
    tell.expect("up")
    gate.say("notify READY=1")
    starter.wait(0)
    tell.expect("did notify")
    again = world.start("restart", "web")
    tell.expect("up")
    gate.say("exit 9")
    assert again.wait().code != 0 and "9" in again.err, again
    world.settle()


def test_restart_verb_in_auto_restart_starts_at_once(world):
    tell = world.tell()
    r = run(world, "--restart=always", "-p", "RestartSec=1h", *NO_LIMIT,
            script=f"echo $n > {tell.path}; [ $n = 1 ] && exit 7; exec cat {world.holder()[1]}")
    until_auto_restart(world)
    world.run("restart", "web", code=0)
    tell.expect("2")
    world.run("stop", "web", code=0)
    r.wait()


def test_restart_verb_in_nobody(world):
    world.run("restart", "web", code=7)


def test_stop_in_auto_restart(world):
    """Nothing runs, and nothing is started any more."""
    r = run(world, "--restart=always", "-p", "RestartSec=1h", script="exit 7")
    until_auto_restart(world)
    world.run("stop", "web", code=0)
    r.wait()
    assert lives(world) == 1


# --- what it costs

def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # with its children's


@pytest.mark.no_wrapper
def test_a_crash_loop_burns_no_cpu(world):
    r = run(world, *NOW, *NO_LIMIT, "--restart=always", script="exit 7")
    world.until_logged("stage=restart")
    begin, before, first = time.monotonic(), cpu_of(r.pid), lives(world)
    signal.sigtimedwait([signal.SIGWINCH], 1)  # time passes: this test is about time itself
    elapsed, used = time.monotonic() - begin, cpu_of(r.pid) - before
    n = job(world)["restarts"] - first
    assert used < 0.5 * elapsed, f"{used} s of CPU in {elapsed} s"
    assert 0 < n <= 110 * elapsed + 10, "more than a hundred restarts in a second"
    world.run("stop", "web", code=0)
    r.wait()


def memory_of(pid):
    """Bytes that are no file's. (Of a program that was built just now the pages are dirty, too, and private where nobody else
    happens to run it: that is no memory of ours.)"""
    rows = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Anonymous:")) * 1024


@pytest.mark.no_wrapper
def test_many_restarts_leave_nothing(world):
    """No descriptor, no memory, no zombie. Whoever asked has long gone by the time of the next look; what an answer needs of
    memory has been touched by each look."""
    first, last = (1000, 10000) if HEAVY else (20, 120)
    tell, gate = world.tell(), world.fifo("gate")
    r = run(world, *NOW, *NO_LIMIT, "--restart=always",
            script=f"case $n in 1|{first}|{last}) echo $n > {tell.path}; read -r x < {gate.path};; esac; exit 7")
    seen = []
    for n in (1, first, last):
        world.pump.until(lambda n=n: str(n) in tell.lines(), f"life {n}", 300 * FACTOR)
        daemon = Process(world.pump, r.pid)
        fds, children = len(daemon.fds()), len(daemon.children())
        assert job(world)["restarts"] == n - 1
        seen.append((fds, children, memory_of(r.pid)))
        gate.say("on")
    assert seen[1][0] == seen[2][0], "descriptors"
    assert seen[1][1] == seen[2][1] == 1
    assert SANITIZED or seen[2][2] - seen[1][2] <= 16 * 1024, f"grown by {seen[2][2] - seen[1][2]} bytes"
    world.run("stop", "web", code=0)
    r.wait()
