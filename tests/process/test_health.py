"""--health=PROBE: a service that is up may be ill. Docker's words: interval, timeout, retries, start period."""
import json
import re
import signal

import pytest

from lib import FACTOR, ms

OFTEN = (f"--health-interval={ms(30)}",)


class Patient:
    """A service that is well as long as a file is there."""

    def __init__(self, world, *args, start=None, well=True, **kw):
        self.world, self.file = world, world.work / "well"
        if well:
            self.file.touch()
        starts = start or world.start
        self.run = starts(f"--log=file:{world.log}", "-n", "web", f"--health=file:{self.file}", *OFTEN, *args, "--",
                          *world.holder(), **kw)
        world.until_held()

    def job(self):
        job, = json.loads(self.world.run("status", "web", "--json").out)["jobs"]
        return job

    def until(self, health, times=1):
        """Waits until it has become so for the @times-th time."""
        pattern = re.compile(rf"stage=health .* health={health} ")
        return self.world.files.until(self.world.log, lambda text: len(pattern.findall(text)) >= times, health)

    def until_restarted(self):
        self.world.until_logged("stage=restart")
        self.world.until_held()

    def stop(self):
        self.world.run("stop", "web", code=0)
        self.run.wait()


@pytest.fixture
def patient(world):
    patients = []

    def make(*args, **kw):
        patients.append(Patient(world, *args, **kw))
        return patients[-1]
    yield make
    for p in patients:
        p.stop()


def checks(world):
    """A check that is counted and says what the file "verdict" does."""
    script = world.work / "check"
    script.write_text(f"#!/bin/sh\necho x >> {world.work}/checks\nread -r v < {world.work}/verdict; exit $v\n")
    script.chmod(0o755)
    (world.work / "checks").touch()
    (world.work / "verdict").write_text("0\n")
    return f"--health=exec:{script}"


def until_checked(world, n):
    world.files.until(world.work / "checks", lambda text: text.count("x") >= n, f"{n} checks")


# --- what is told

@pytest.mark.everyone
def test_healthy_and_not(world, patient):
    p = patient("--health-action=none", "--health-retries=2")
    p.until("healthy")
    job = p.job()
    assert job["healthy"] is True and job["health"] == "healthy"
    world.run("is-healthy", "web", code=0)
    assert "healthy" in world.run("status", "web").out
    p.file.unlink()
    p.until("unhealthy")
    job = p.job()
    assert job["state"] == "up" and job["healthy"] is False and job["health"] == "unhealthy"
    assert "No such file" in job["healthReason"] and job["restarts"] == 0
    world.run("is-healthy", "web", code=1)
    out = world.run("status", "web").out
    assert "unhealthy" in out and "No such file" in out
    p.file.touch()
    p.until("healthy", 2)
    world.run("is-healthy", "web", code=0)
    assert "No such file" in world.log.read_text()


def test_before_the_first_check_it_is_starting(world, patient):
    """The first one comes an interval after the start."""
    p = patient("--health-interval=1h")
    job = p.job()
    assert job["health"] == "starting" and job["healthy"] is False and job["state"] == "up"
    world.run("is-healthy", "web", code=1)


def test_without_a_check_it_is_healthy_as_long_as_it_is_up(world):
    with world.forked():
        world.run("is-healthy", "web", code=0)


def test_wait_for_healthy(world, patient):
    p = patient("--health-action=none", "--health-retries=1", well=False)
    p.until("unhealthy")
    waiting = world.start("wait", "web", "--for=healthy")
    waiting.still_waits()
    p.file.touch()
    waiting.wait(0)


# --- when

def test_retries(world, patient):
    """So many in a row, and each success begins anew."""
    p = patient(checks(world), "--health-retries=4", "--health-action=none")
    p.until("healthy")
    (world.work / "verdict").write_text("1\n")
    begin = (world.work / "checks").read_text().count("x")
    p.until("unhealthy")
    assert (world.work / "checks").read_text().count("x") - begin in (3, 4, 5), "the check at work then may count"


def test_retries_are_counted_in_a_row(world, patient):
    """Two of three fail, for ever: never three in a row."""
    script = world.work / "check"
    script.write_text(f"#!/bin/sh\necho x >> {world.work}/checks\n[ $(($(wc -l < {world.work}/checks) % 3)) = 0 ]\n")
    script.chmod(0o755)
    (world.work / "checks").touch()
    p = patient(f"--health=exec:{script}", "--health-retries=3", "--health-action=none")
    until_checked(world, 10)
    assert p.job()["health"] == "healthy" and "health=unhealthy" not in world.log.read_text()


def test_start_period(world, patient):
    """In it no failure counts."""
    p = patient(checks(world), "--health-retries=1", "--health-action=none", "--health-start-period=1h")
    (world.work / "verdict").write_text("1\n")
    begin = (world.work / "checks").read_text().count("x")
    until_checked(world, begin + 4)
    assert p.job()["health"] in ("starting", "healthy") and "health=unhealthy" not in world.log.read_text()


def test_a_success_ends_the_start_period(world, patient):
    p = patient(checks(world), "--health-retries=1", "--health-action=none", "--health-start-period=1h")
    p.until("healthy")
    (world.work / "verdict").write_text("1\n")
    p.until("unhealthy")


def test_timeout(world, patient):
    """A check that hangs has failed, and is gone."""
    never = world.fifo("never")
    p = patient(f"--health=exec:/usr/bin/cat {never.path}", f"--health-timeout={ms(60)}", "--health-retries=1",
                "--health-action=none")
    p.until("unhealthy")
    assert p.job()["healthReason"] and len(p.job()["pids"]) <= 2


def test_a_check_that_cannot_be_executed(world, patient):
    p = patient("--health=exec:/no/such/check", "--health-retries=1", "--health-action=none")
    p.until("unhealthy")
    assert "No such file" in p.job()["healthReason"]


def test_no_check_after_the_end(world):
    p = Patient(world, checks(world))
    until_checked(world, 1)
    p.stop()
    count = (world.work / "checks").read_text().count("x")
    world.pump.never(lambda: (world.work / "checks").read_text().count("x") > count, "a check")


# --- what it leads to

@pytest.mark.everyone
def test_restart(world, patient):
    """The default, and whatever Restart= says: who asks for a health check wants a healthy service."""
    p = patient("--health-retries=1", "-p", "RestartSec=0")
    p.until("healthy")
    old = p.job()["mainPid"]
    p.file.unlink()
    p.until("unhealthy")
    p.file.touch()
    p.until_restarted()
    p.until("healthy", 2)
    job = p.job()
    assert job["restarts"] == 1 and job["mainPid"] != old and job["healthy"] is True
    log = world.log.read_text()
    assert "unhealthy: " in log.split("stage=restart", 1)[1].splitlines()[0]


def test_restart_says_why_it_stops(world, patient):
    p = patient("--health-action=restart", "--health-retries=1", "-p", "RestartSec=1h", well=False)
    world.until_logged("stage=restart")
    assert "it is unhealthy" in world.log.read_text()
    assert p.job()["state"] == "auto-restart"


def test_an_illness_that_stays_ends_at_the_limit(world):
    p = Patient(world, "--health-retries=1", "-p", "RestartSec=0", "-p", "StartLimitBurst=3", well=False)
    p.run.wait()
    assert p.run.code != 0 and "result=start-limit-hit" in world.log.read_text()
    assert world.log.read_text().count("stage=exec ") == 3


def test_watchdog(world):
    """As if it had not fed its watchdog: WatchdogSignal=, and Restart=on-watchdog."""
    p = Patient(world, "--health-action=watchdog", "--health-retries=1", "--restart=on-watchdog", "-p", "RestartSec=0")
    p.until("healthy")
    p.file.unlink()
    p.until("unhealthy")
    p.file.touch()
    p.until_restarted()
    assert "SIGABRT" in world.log.read_text() and p.job()["restarts"] == 1
    p.stop()


def test_watchdog_without_restart(world):
    p = Patient(world, "--health-action=watchdog", "--health-retries=1", well=False)
    p.run.wait(128 + signal.SIGABRT)
    assert "result=watchdog" in world.log.read_text()


# --- under a manager: WatchdogSec= of the unit is true for any program

@pytest.mark.everyone
def test_the_managers_watchdog_is_fed_only_while_healthy(world):
    manager = world.notify_socket()
    world.env["WATCHDOG_USEC"] = str(int(100_000 * FACTOR))
    p = Patient(world, "--health-action=none", "--health-retries=1", start=world.start_with_own_pid)
    p.until("healthy")
    manager.until_has("READY", "1")
    manager.forget()
    manager.until_has("WATCHDOG", "1")
    p.file.unlink()
    p.until("unhealthy")
    manager.forget()
    for _ in range(3):  # longer than the interval
        world.pump.never(lambda: manager.has("WATCHDOG", "1"), "WATCHDOG=1")
    p.file.touch()
    manager.until_has("WATCHDOG", "1")
    p.stop()


def test_the_managers_watchdog_is_fed_without_a_check(world):
    manager = world.notify_socket()
    world.env["WATCHDOG_USEC"] = str(int(100_000 * FACTOR))
    run = world.start_with_own_pid("-n", "web", f"--log=file:{world.log}", "--", *world.holder())
    for _ in range(3):
        manager.until_has("WATCHDOG", "1")
        manager.forget()
    run.kill()
    run.wait(0)


@pytest.mark.parametrize("args", [["--health=notify"], ["--health=log:x"], ["--health-retries=0"],
                                  ["--health-action=pray"], ["--health-interval=0"]])
def test_nonsense_is_refused_at_once(world, args):
    health = [] if "--health=" in args[0] else ["--health=file:/x"]
    run = world.run("--fork", *health, *args, "--", "true")
    assert run.code in (1, 2, 64) and "ealth" in run.err, run
