"""Several units in one instance: what starts when, what becomes of the others when one fails, and what the verbs say."""
import json
import os
import re

import pytest

from lib import COMMAND, Process

FOREVER = "ExecStart=/bin/sleep infinity\n"


class Units:
    """A directory of units, and an instance that runs some of them."""

    def __init__(self, world):
        self.world = world
        self.path = world.mkdir("units")
        self.log = world.log

    def write(self, name, service=FOREVER, unit="", amphid=""):
        parts = [f"[Unit]\n{unit}"] if unit else []
        parts += [f"[Service]\n{service}"] if service else []
        parts += [f"[X-Amphid]\n{amphid}"] if amphid else []
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(parts))
        return file

    def enable(self, *names):
        wants = self.path / "multi-user.target.wants"
        wants.mkdir(exist_ok=True)
        for name in names:
            (wants / name).symlink_to(f"../{name}")

    def fork(self, *args, code=0):
        return self.world.fork(f"--unit-path={self.path}", *args).wait(code)

    def run(self, *args, code=None):
        return self.world.run(f"--unit-path={self.path}", "run", "--wait", *args, code=code)

    def stages(self, *wanted):
        """(unit, stage) in the order of the log."""
        found = re.findall(r"unit=(\S+) stage=(\S+)", self.log.read_text())
        return [(unit.removesuffix(".service"), stage) for unit, stage in found if not wanted or stage in wanted]

    def jobs(self, instance):
        info = json.loads(self.world.run("status", instance, "--json").out)
        return {job["name"]: job for job in info["jobs"]}


@pytest.fixture
def units(world):
    return Units(world)


# --- one unit

@pytest.mark.everyone
@pytest.mark.parametrize("service, code", [
    ("ExecStart=/bin/true\n", 0),
    ("ExecStart=/bin/sh -c 'exit 7'\n", 7),
    ("Type=oneshot\nExecStart=/bin/sh -c 'exit 9'\n", 9),
    ("Type=oneshot\nExecStart=/bin/true\nExecStart=/bin/sh -c 'exit 3'\n", 3),
    ("ExecStart=/bin/sh -c 'kill -KILL $$$$'\n", 128 + 9),
    ("ExecStart=/bin/sh -c 'kill -SEGV $$$$'\n", 128 + 11),
    ("ExecStart=/nonexistent/program\n", 203),
    ("User=nobody-is-called-so\nExecStart=/bin/true\n", 217),
    ("WorkingDirectory=/nonexistent\nExecStart=/bin/true\n", 200),
    ("ExecStart=/bin/sh -c 'exit 7'\nSuccessExitStatus=7\n", 7),
])
def test_run_wait_ends_as_its_main_process(units, service, code):
    units.write("one.service", service)
    units.run("one.service", code=code)


def test_run_wait_hands_a_stop_on(units):
    tell = units.world.tell()
    units.write("one.service", f"ExecStart=/bin/sh -c 'trap \"echo stopped >{tell.path}; exit 5\" TERM; "
                               f"echo up >{tell.path}; while :; do read line; done <{units.world.fifo('hold').path}'\n")
    run = units.world.start(f"--unit-path={units.path}", "run", "--wait", "one")
    tell.expect("up")
    run.kill()
    tell.expect("stopped")
    run.wait(5)


@pytest.mark.everyone
def test_fork_one(units):
    units.write("web.service")
    units.fork("web.service")
    daemon = units.world.daemon("web")
    assert units.jobs("web")["web.service"]["state"] == "up"
    assert units.world.run("is-ready", "web", code=0).out == "ready\n"
    units.world.run("stop", "web", code=0)
    daemon.wait()


# Type=simple: that its exec failed is known in time where vfork is vfork.
@pytest.mark.no_wrapper
@pytest.mark.parametrize("service, said, code", [
    ("ExecStart=/bin/sh -c 'echo why >&2; exit 7'\nType=notify\n", "ended with 7 before it was up\nwhy\n", 7),
    ("ExecStart=/nonexistent/program\n", "/nonexistent/program", 203),
])
def test_fork_one_that_fails(units, service, said, code):
    units.write("web.service", service)
    run = units.fork("web.service", code=code)
    assert run.err.startswith("amphid: web: ") and said in run.err
    units.world.settle()
    assert not units.world.pidfile("web").parent.exists()


# Under valgrind a child is one of fork(2).
@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_a_hundred_units(units):
    """Where there are so many descriptors a child is not given a copy of all: each finds its own streams, and nothing else."""
    n = 100
    for i in range(n):
        units.write(f"job{i}.service", f"ExecStart=/bin/sh -c 'echo here {i}; echo there {i} >&2; exec sleep infinity'\n"
                                      f"SyslogIdentifier=job{i}\n")
    units.write("all.target", None, "Wants=" + " ".join(f"job{i}.service" for i in range(n)) + "\n")
    units.fork("-n", "web", "all.target")
    said = sorted(f"job{i} {word} {i}" for i in range(n) for word in ("here", "there"))
    units.world.files.until(units.log, lambda text: sorted(
        f"{job} {line}" for job, line in re.findall(r" (job\d+)\[\d+\]: (.*)", text)) == said, "two lines of each")
    mains = [job["mainPid"] for name, job in units.jobs("web").items() if name != "all.target"]
    assert len(mains) == n and all(sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"] for pid in mains)
    units.world.run("stop", "web", code=0)


@pytest.mark.parametrize("word, said, code", [
    ("nix.service", "amphid: nix: there is no such unit", 5),
    ("x.socket", "amphid: x.socket: it is the machine's: amphid runs services", 1),
    ("masked.service", "amphid: masked: it is masked", 1),
    ("./nix.service", "there is no such unit", 5),
])
def test_what_cannot_be_loaded(units, word, said, code):
    (units.path / "masked.service").symlink_to("/dev/null")
    units.write("x.socket", "")
    run = units.fork(word, code=code)
    assert said in run.err and len(run.err.splitlines()) == 1
    assert not units.world.base.exists() or not os.listdir(units.world.base)


def test_condition_and_assert(units):
    units.write("skipped.service", unit="ConditionPathExists=/nonexistent\n")
    units.write("refused.service", unit="AssertPathExists=/nonexistent\n")
    assert "ConditionPathExists=/nonexistent" in units.fork("skipped.service", code=0).err
    assert "AssertPathExists=/nonexistent" in units.fork("refused.service", code=1).err
    units.world.settle()


def test_property_over_the_unit(units):
    units.write("one.service", "ExecStart=/bin/sh -c 'exit $CODE'\nEnvironment=CODE=3\n")
    units.run("-p", "Environment=CODE=4", "one.service", code=4)
    units.run("--setenv=CODE=5", "one.service", code=5)
    units.write("two.service")
    run = units.fork("-p", "Nice=1", "one.service", "two.service", code=2)
    assert "one unit" in run.err


# --- several

def test_order(units):
    """Each one begins when those before it are up, and is stopped before them."""
    units.write("first.service", unit="Before=second.service\n")
    units.write("second.service", "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/bin/true\n")
    units.write("third.service", unit="After=second.service\nWants=first.service\n")
    units.fork("-n", "all", "third.service", "second.service")
    units.world.until_logged("3 units up")
    begun = [unit for unit, stage in units.stages("exec")]
    assert begun == ["first", "second", "third"]
    order = units.stages("exec", "ready")
    assert order.index(("second", "ready")) < order.index(("third", "exec"))
    daemon = units.world.daemon("all")
    units.world.run("stop", "all", code=0)
    daemon.wait()
    assert [unit for unit, _ in units.stages("stopped")] == ["third", "second", "first"]


def test_in_parallel(units):
    """Four that take a while each take that while together: each waits for all of the others."""
    names = [f"p{i}" for i in range(4)]
    dir = units.world.mkdir("met")
    dir.chmod(0o777)
    for name in names:
        wait = "; ".join(f"until [ -e {dir}/{other} ]; do sleep 0.01; done" for other in names)
        units.write(f"{name}.service", f"Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'touch {dir}/{name}; {wait}'\n")
    units.fork("-n", "all", *[f"{name}.service" for name in names])
    units.world.run("stop", "all", code=0)


def test_dependency_fails(units):
    units.write("base.service", "Type=oneshot\nExecStart=/bin/sh -c 'echo broken >&2; exit 4'\n")
    units.write("web.service", unit="Requires=base.service\nAfter=base.service\n")
    run = units.fork("web.service", code=1)
    assert "base.service: " in run.err and "broken" in run.err
    assert run.err.splitlines()[-1] == "amphid: web: a unit that it needs did not come up: base.service"
    units.world.settle()
    assert ("web", "exec") not in units.stages()


def test_missing_dependency(units):
    units.write("web.service", unit="Requires=nix.service\nAfter=nix.service\n")
    run = units.fork("web.service", code=1)
    assert "nix.service" in run.err
    units.world.settle()
    units.write("web.service", unit="Wants=nix.service\nAfter=nix.service network-online.target\nRequires=sysinit.target\n")
    units.fork("web.service")
    units.world.run("stop", "web", code=0)


def test_cycle_is_named(units):
    units.write("a.service", unit="After=c.service\nWants=b.service c.service\n")
    units.write("b.service", unit="After=a.service\n")
    units.write("c.service", unit="After=b.service\n")
    run = units.fork("a.service", code=0)
    text = next(line for line in run.err.splitlines() if "the order is a circle" in line)
    assert all(f"{name}.service" in text for name in "abc")
    units.world.run("stop", "a", code=0)


def test_some_of_the_named_fail(units):
    """The starter tells each failure; the others go on."""
    units.write("good.service")
    units.write("bad.service", "Type=oneshot\nExecStart=/bin/sh -c 'exit 6'\n")
    run = units.fork("good.service", "bad.service", code=6)
    assert "bad.service: ended with 6" in run.err
    assert units.jobs("good")["good.service"]["state"] == "up"
    units.world.run("stop", "good", code=0)


@pytest.mark.no_wrapper  # a failed exec is known in time where vfork is vfork
def test_all_of_the_named_fail(units):
    units.write("bad.service", "Type=oneshot\nExecStart=/bin/sh -c 'exit 6'\n")
    units.write("worse.service", "ExecStart=/nonexistent\n")
    run = units.fork("bad.service", "worse.service", code=None)
    assert run.code != 0 and "bad.service: " in run.err and "worse.service: " in run.err
    units.world.settle()
    assert not units.world.pidfile("bad").parent.exists()


def test_the_end_of_all_is_the_end(units):
    """What was only pulled in is stopped when those that were asked for are over."""
    hold = units.world.fifo("hold")
    units.write("helper.service")
    units.write("web.service", f"ExecStart=/bin/cat {hold.path}\n", unit="Wants=helper.service\nAfter=helper.service\n")
    units.fork("web.service")
    daemon = units.world.daemon("web")
    helper = Process(units.world.pump, units.jobs("web")["helper.service"]["mainPid"])
    os.kill(units.jobs("web")["web.service"]["mainPid"], 15)
    daemon.wait()
    units.world.pump.until(lambda: helper.gone, "the end of the helper")


def test_on_failure_is_told(units):
    tell = units.world.tell()
    units.write("alarm@.service", f"Type=oneshot\nExecStart=/bin/sh -c 'echo %i $MONITOR_SERVICE_RESULT $MONITOR_EXIT_STATUS "
                                  f"$MONITOR_UNIT >{tell.path}'\n")
    units.write("web.service", "ExecStart=/bin/sh -c 'exit 8'\n", unit="OnFailure=alarm@web.service\n")
    units.run("web.service", code=8)
    tell.expect("web exit-code 8 web.service")


def test_one_stop_leaves_the_others(units):
    """Whose are the processes? Each is ended with its own unit, though both are our children."""
    for name in ("a", "b"):
        units.write(f"{name}.service", "ExecStart=/bin/sh -c 'sleep infinity & setsid sleep infinity & exec sleep infinity'\n")
    units.fork("-n", "both", "a.service", "b.service")
    daemon = units.world.daemon("both")
    units.world.pump.until(lambda: all(len(job["pids"]) == 3 for job in units.jobs("both").values()), "three of each")
    jobs = units.jobs("both")
    pids = {name: [Process(units.world.pump, pid) for pid in job["pids"]] for name, job in jobs.items()}
    assert not set(jobs["a.service"]["pids"]) & set(jobs["b.service"]["pids"])
    units.world.run("stop", "a.service", code=0)
    for process in pids["a.service"]:
        units.world.pump.until(lambda: process.gone, "the end of a's processes")
    assert all(process.alive() for process in pids["b.service"])
    assert units.jobs("both")["b.service"]["state"] == "up"
    units.world.run("stop", "both", code=0)
    daemon.wait()
    for process in pids["b.service"]:
        units.world.pump.until(lambda: process.gone, "the end of b's processes")


# --- the resident instance

def test_resident(units):
    units.write("a.service")
    units.write("bad.service", "ExecStart=/bin/false\nType=oneshot\n")
    units.write("idle.service")
    units.write("broken.service", "ExecStart=\n")
    units.enable("a.service", "bad.service", "nix.service", "broken.service")
    run = units.fork()
    assert "bad.service: " in run.err
    jobs = units.jobs("amphid")
    assert jobs["a.service"]["state"] == "up" and jobs["bad.service"]["state"] == "failed" and "idle.service" not in jobs
    world = units.world
    world.run("start", "idle", code=0)
    assert units.jobs("amphid")["idle.service"]["state"] == "up"
    world.run("status", "idle.service", code=0)
    world.run("status", "bad", code=3)
    before = units.jobs("amphid")["idle.service"]["mainPid"]
    world.run("restart", "idle", code=0)
    assert units.jobs("amphid")["idle.service"]["mainPid"] not in (None, before)
    world.run("stop", "idle", code=0)
    world.run("status", "idle", code=3)
    assert "there is no such unit" in world.run("start", "nix.service", code=1).err
    assert "nix" in world.run("restart", "nix.service", code=1).err
    world.run("stop", "a", "-n", "amphid", code=0)
    daemon = world.daemon("amphid")
    assert daemon.alive(), "it stays"
    world.run("stop", "amphid", code=0)
    assert "amphid --fork a.service" in world.run("start", "a.service", code=7).err


def test_reload_of_files(units):
    """What has not changed is not disturbed; what has counts from its next start."""
    units.write("same.service")
    units.write("other.service", "ExecStart=/bin/sh -c 'exec sleep 1000'\n")
    units.enable("same.service", "other.service")
    units.fork()
    before = units.jobs("amphid")
    units.write("other.service", "ExecStart=/bin/sh -c 'exec sleep 2000'\n")
    units.write("new.service")
    units.world.run("reload", code=0)
    units.world.until_logged("1 changed")
    after = units.jobs("amphid")
    for name in ("same.service", "other.service"):
        assert after[name]["mainPid"] == before[name]["mainPid"]
    units.world.run("restart", "other", code=0)
    assert units.jobs("amphid")["other.service"]["command"][-1] == "exec sleep 2000"
    assert units.jobs("amphid")["same.service"]["mainPid"] == before["same.service"]["mainPid"]
    units.world.run("start", "new", code=0)
    (units.path / "new.service").unlink()
    units.world.run("reload", code=0)
    assert units.jobs("amphid")["new.service"]["state"] == "up", "it runs on"
    units.world.run("stop", "new", code=0)
    assert units.world.run("start", "new").code != 0
    units.world.run("stop", "amphid", code=0)


def test_files_that_come_and_go(units):
    """A file that is younger than the daemon is found by start; what it needs, and what was away, after a reload."""
    world = units.world
    units.fork()
    units.write("a.service", unit="Requires=late.service\n")
    world.run("start", "a", code=1)
    units.write("late.service")
    world.run("reload", code=0)
    world.run("start", "a", code=0)
    assert "a.service" in world.run("list").out, "one unit of several has its name in the list"
    away = (units.path / "late.service").rename(units.path / "away")
    world.run("reload", code=0)
    assert "late.service: there is no such unit" in world.run("restart", "late", code=1).err
    away.rename(units.path / "late.service")
    world.run("reload", code=0)
    world.run("restart", "late", code=0)
    world.run("stop", "amphid", code=0)


def test_start_of_one_that_is_being_stopped(units):
    """It is started when it has stopped, and not taken for one that is up."""
    world = units.world
    hold = world.fifo("hold")
    units.write("slow.service", f"{FOREVER}ExecStop=/bin/sh -c 'read line <{hold.path}'\n")
    units.write("rival.service", unit="Conflicts=slow.service\n")
    units.fork()
    world.run("start", "slow", code=0)
    before = units.jobs("amphid")["slow.service"]["mainPid"]
    world.run("start", "rival", code=0)
    assert units.jobs("amphid")["slow.service"]["state"] == "stop"
    start = world.start("start", "slow")
    world.until_logged("unit=rival.service stage=stopped")
    hold.say("go")
    start.wait(0)
    job = units.jobs("amphid")["slow.service"]
    assert job["state"] == "up" and job["mainPid"] != before
    hold.say("go")
    world.run("stop", "amphid", code=0)


def test_failure_is_told_with_its_reason(units):
    units.write("never.service", "Type=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep infinity\n")
    units.fork()
    assert "was not ready within 1 s" in units.world.run("start", "never", code=1).err
    assert "was not ready within 1 s" in units.world.run("status", "never", code=3).out
    units.world.run("stop", "amphid", code=0)


SAYS = "Type=oneshot\nSyslogIdentifier=it\nExecStart=/bin/sh -c 'echo out; echo err >&2'\n"


@pytest.mark.everyone
@pytest.mark.parametrize("service, amphid, args, levels", [
    ("", "", [], (6, 6)),
    ("SyslogLevel=notice\n", "", [], (5, 5)),
    ("SyslogLevel=notice\n", "SyslogLevelStderr=crit\n", [], (5, 2)),
    ("", "", ["-p", "SyslogLevel=debug"], (7, 7)),
])
def test_level_of_both_streams(units, service, amphid, args, levels):
    """systemd.exec(5), SyslogLevel=."""
    units.write("web.service", SAYS + service, amphid=amphid)
    units.world.run("--log=json", f"--unit-path={units.path}", "--mode=foreground", *args, "web.service", code=0)
    run = units.world.runs[-1]
    found = {r["message"]: r["priority"] for r in units.world.records(run.err or run.out) if "stream" in r}
    assert (found["out"], found["err"]) == levels


def test_whose_lines(units):
    """A command's lines are its own where there is no main process that could have said them."""
    units.write("web.service", "ExecStartPre=/bin/sh -c 'echo pre $$$$'\nExecStart=/bin/sh -c 'echo main $$$$'\n"
                               "ExecStopPost=/bin/sh -c 'echo post $$$$'\nSyslogIdentifier=it\n")
    units.fork("web.service")
    units.world.settle()
    found = re.findall(r"it\[(\d+)\]: (pre|main|post) (\d+)$", units.world.log.read_text(), re.MULTILINE)
    assert [word for _, word, _ in found] == ["pre", "main", "post"]
    assert all(said == pid for pid, _, said in found)


@pytest.mark.parametrize("delay", ["0", "20ms"])
@pytest.mark.parametrize("mode, alarms, watcher_restarts", [("normal", 5, True), ("direct", 1, False)])
def test_what_others_see_of_a_restart(units, mode, alarms, watcher_restarts, delay):
    """systemd.service(5), RestartMode=: between two lives the unit has failed, or others see nothing of it."""
    alarm, watcher = units.world.work / "alarm", units.world.work / "watcher"
    units.write("alarm.service", f"Type=oneshot\nExecStart=/bin/sh -c 'echo $MONITOR_SERVICE_RESULT >>{alarm}'\n",
                unit="StartLimitIntervalSec=0\n")
    units.write("watcher.service", f"ExecStart=/bin/sh -c 'echo up >>{watcher}; exec sleep infinity'\n",
                unit="Requires=web.service\nAfter=web.service\nStartLimitIntervalSec=0\n")
    units.write("web.service", f"ExecStart=/bin/sh -c 'exit 3'\nRestart=on-failure\nRestartSec={delay}\n"
                               f"RestartMode={mode}\n",
                unit="OnFailure=alarm.service\nStartLimitBurst=4\nStartLimitIntervalSec=1h\n")
    units.fork("-n", "it", "watcher.service", code=None)
    units.world.until_logged("result=start-limit-hit")
    told = "started, OnFailureOf=web.service"
    units.world.files.until(units.log, lambda text: text.count(told) >= alarms, f"{alarms} alarms")
    units.world.files.until(alarm, lambda text: text, "an alarm")
    units.world.run("stop", "it")
    units.world.settle()
    assert units.log.read_text().count(told) == alarms
    assert set(alarm.read_text().split()) <= {"exit-code", "start-limit-hit"}
    assert (len(watcher.read_text().split()) > 1) == watcher_restarts


@pytest.mark.parametrize("service, unit, code", [
    ("ExecStart=/bin/sh -c 'exit 3'\n", "FailureAction=exit\n", 3),
    ("ExecStart=/bin/sh -c 'exit 3'\n", "FailureAction=exit-force\n", 3),
    ("ExecStart=/bin/sh -c 'exit 3'\n", "FailureAction=exit\nFailureActionExitStatus=42\n", 42),
    ("ExecStart=/bin/sh -c 'exit 3'\nSuccessExitStatus=3\n", "SuccessAction=exit\n", 3),
    ("ExecStart=/bin/true\n", "SuccessAction=exit\nSuccessActionExitStatus=9\nFailureActionExitStatus=7\n", 9),
    ("ExecStart=/nonexistent\n", "FailureAction=exit\n", 203),
    ("ExecStart=/bin/sh -c 'exit 3'\nRestart=always\nRestartSec=0\n", "StartLimitBurst=2\nStartLimitAction=exit\n"
                                                                     "FailureActionExitStatus=11\n", 11),
])
@pytest.mark.parametrize("resident", [False, True])
def test_an_action_ends_the_instance(units, service, unit, code, resident):
    """systemd.unit(5), FailureAction=: all that runs is stopped, and the exit status is the unit's."""
    ended = units.world.work / "ended"
    kills = "-force" not in unit
    units.write("web.service", service, unit=f"After=other.service\nWants=other.service\n{unit}")
    units.write("other.service", f"ExecStart=/bin/sleep infinity\nExecStop=/bin/sh -c 'echo x >>{ended}'\n")
    units.enable("web.service", "other.service")
    named = [] if resident else ["web.service", "other.service"]
    units.world.run(f"--log=file:{units.log}", f"--unit-path={units.path}", "--mode=foreground", *named, code=code)
    assert ended.exists() == kills
    assert "Action=exit" in units.log.read_text()


def test_actions_that_are_not_ours(units):
    """They are said, and do nothing."""
    units.write("web.service", "ExecStart=/bin/sh -c 'exit 3'\n",
                unit="FailureAction=reboot-force\nSuccessAction=exit\nJobTimeoutAction=poweroff\n")
    err = units.run("web.service", code=3).err
    assert "FailureAction= does nothing: the machine is not ours to stop" in err
    assert "JobTimeoutAction= does nothing" in err and "SuccessAction= does" not in err


@pytest.mark.parametrize("changed", [False, True])
def test_starts_by_hand_count(units, changed):
    """systemd.unit(5), StartLimitBurst=: starts by hand count, too; that the files were read anew changes nothing of that."""
    def write(n):
        units.write("web.service", f"Type=oneshot\nExecStart=/bin/true {n if changed else ''}\n",
                    unit="StartLimitBurst=3\nStartLimitIntervalSec=1h\n")

    write(0)
    units.fork()
    for n in range(3):
        units.world.run("start", "web", code=0)
        write(n + 1)
        units.world.run("reload", code=0)
    assert units.world.run("start", "web").code != 0
    assert "started 3 times" in units.world.log.read_text()
    assert units.jobs("amphid")["web.service"]["result"] == "start-limit-hit"
    units.world.run("stop", "amphid", code=0)


def test_starts_for_others_count(units):
    """Upholds= brings back what fails, as often as the limit lets it."""
    runs = units.world.work / "runs"
    units.write("bad.service", f"ExecStart=/bin/sh -c 'echo run >>{runs}; exit 3'\n", unit="StartLimitBurst=4\n")
    units.write("up.service", unit="Upholds=bad.service\n")
    units.fork("up.service")
    units.world.until_logged("started and stopped too often")
    assert runs.read_text() == "run\n" * 4 and "result=start-limit-hit" in units.world.log.read_text()
    units.world.run("stop", "up", code=0)


def test_ready_of_a_unit(units):
    """[X-Amphid] Ready= holds back the starter, and those that come after it."""
    marker = units.world.work / "marker"
    tell = units.world.tell()
    hold = units.world.fifo("hold")
    units.write("slow.service", f"ExecStart=/bin/sh -c 'echo up >{tell.path}; read x <{hold.path}; touch {marker}; "
                                f"exec sleep infinity'\n", amphid=f"Ready=file:{marker}\n")
    units.write("next.service", unit="Requires=slow.service\nAfter=slow.service\n")
    run = units.world.fork(f"--unit-path={units.path}", "next.service")
    tell.expect("up")
    run.still_waits()
    assert ("next", "exec") not in units.stages()
    hold.say("go")
    run.wait(0)
    units.world.until_logged("unit=next.service stage=ready")
    assert units.stages("ready")[-2:] == [("slow", "ready"), ("next", "ready")]
    units.world.run("stop", "next", code=0)


def test_refuse_manual(units):
    units.write("a.service", unit="RefuseManualStop=yes\n")
    units.write("b.service", unit="RefuseManualStart=yes\n")
    units.enable("a.service")
    units.fork()
    assert "by hand" in units.world.run("stop", "a.service", code=1).err
    assert "by hand" in units.world.run("start", "b.service", code=1).err
    units.world.run("stop", "amphid", code=0)


def test_names_with_backslashes(units):
    name = r"mnt-a\x2db"
    units.write(f"{name}.service")
    units.fork(f"{name}.service")
    units.world.run("stop", name, code=0)


@pytest.mark.everyone
def test_status_says_why_not(units):
    """Of units that have never had a process: what their status is for."""
    units.write("held.service", unit="ConditionPathExists=/nonexistent\n")
    units.write("sure.service", unit="AssertPathExists=/nonexistent\n")
    units.write("bad.service", "ExecStart=/bin/true\nType=nonsense\nExecStart=relative/path\n")
    units.write("fails.service", "Type=oneshot\nExecStart=/bin/false\n")
    units.write("needs.service", unit="Requires=fails.service\nAfter=fails.service\n")
    units.write("lacks.service", unit="Requires=nix.service\n")
    units.write("runs.service", unit="Wants=masked.service\n")
    (units.path / "masked.service").symlink_to("/dev/null")
    units.enable("held.service", "sure.service", "bad.service", "needs.service", "lacks.service", "runs.service")
    units.fork()
    why = {"held": "ConditionPathExists=/nonexistent does not hold", "sure": "AssertPathExists=/nonexistent does not hold",
           "bad": f"{units.path}/bad.service:", "needs": "a unit that it needs did not come up: fails.service",
           "lacks": "a unit that it needs cannot be loaded", "masked": "it is masked"}
    for name, said in why.items():
        shown = units.world.run("status", f"{name}.service", code=3).out
        assert f"Ready: no: {said}" in shown and ("Command:" in shown) == (name not in ("bad", "masked")), shown
        assert said in units.jobs("amphid")[f"{name}.service"]["readiness"]
    assert units.jobs("amphid")["runs.service"]["readiness"] is None
    for name in ("bad", "masked"):
        run = units.world.run("start", f"{name}.service", code=1)
        assert why[name] in run.err and len(run.err.splitlines()) == 1
    units.write("held.service")
    units.write("bad.service")
    units.world.run("reload", code=0)
    for name in ("held", "bad"):
        units.world.run("start", f"{name}.service", code=0)
        assert units.jobs("amphid")[f"{name}.service"]["readiness"] is None
    units.world.run("stop", "amphid", code=0)


@pytest.mark.no_wrapper
def test_no_chain_is_too_long(units):
    """However deep units pull in others, little of the stack is used."""
    for i in range(4000):
        units.write(f"u{i}.service", "Type=oneshot\nExecStart=/bin/true\n", unit=f"Requires=u{i + 1}.service\n")
    small = ["sh", "-c", 'ulimit -s 256; exec "$@"', "sh"]
    run = units.world.start(argv=[*small, *COMMAND, f"--unit-path={units.path}", "run", "u0.service"]).wait(1)
    assert "u4000.service" in run.err
