"""A unit runs once, whichever instance runs it: the second start says where it does, and fails as one of the same name."""
import signal

import pytest

from lib import Process
from test_units import Units


@pytest.fixture
def units(world):
    units = Units(world)
    units.write("web.service")
    return units


def said(units, instance, unit="web.service"):
    pid = int(units.world.pidfile(instance).read_text())
    return f"already running in the instance {instance} as PID {pid} ('amphid stop {unit}' ends it)\n"


@pytest.mark.everyone
def test_two_names(units):
    units.fork("-n", "one", "web.service")
    line = said(units, "one")
    assert units.fork("-n", "two", "web.service", code=1).err == f"amphid: two: {line}"
    assert units.fork("-n", "two", units.path / "web.service", code=1).err == f"amphid: two: {line}"
    assert units.run("-n", "two", "web.service", code=1).err.endswith(line)
    assert units.fork("web.service", code=1).err == f"amphid: web: {line}"
    units.world.run("stop", "web.service", code=0)
    units.fork("-n", "two", "web.service")
    units.world.run("stop", "two", code=0)
    assert not (units.world.base / ".units").exists()


@pytest.mark.everyone
def test_the_resident_instance(units):
    """It does without; and starts it when asked again, as soon as it is free."""
    units.fork("-n", "zeta", "web.service")
    units.enable("web.service")
    units.write("other.service")
    units.enable("other.service")
    units.fork()
    jobs = units.jobs("amphid")
    assert jobs["web.service"]["state"] == "inactive" and jobs["other.service"]["state"] == "up"
    units.world.run("start", "web.service", code=0)  # who runs it is meant, and it does
    units.world.run("stop", "web.service", code=0)
    assert not units.world.pidfile("zeta").exists()
    units.world.run("start", "web.service", code=0)
    assert units.fork("-n", "zeta", "web.service", code=1).err.endswith(said(units, "amphid"))
    units.world.run("stop", "web.service", code=0)
    units.fork("-n", "zeta", "web.service")
    units.world.run("stop", "zeta", code=0)
    units.world.run("stop", "amphid", code=0)


def test_what_another_one_needs(units):
    """It is not begun twice for the sake of others either; only those who can do without go on."""
    units.write("needs.service", unit="Requires=web.service\nAfter=web.service\n")
    units.write("wants.service", unit="Wants=web.service\nAfter=web.service\n")
    units.fork("web.service")
    assert "already running in the instance web as PID" in units.fork("needs.service", code=1).err
    assert "already running in the instance web as PID" in units.fork("wants.service").err
    assert len(units.jobs("wants")["wants.service"]["pids"]) == 1
    for name in ("wants", "web"):
        units.world.run("stop", name, code=0)


def test_what_is_not_the_same(units):
    """Instances of a template, and a command line that has the name of a unit."""
    units.write("of@.service")
    units.fork("-n", "one", "of@1.service")
    units.fork("-n", "two", "of@2.service")
    assert units.fork("-n", "three", "of@1.service", code=1).err.endswith(said(units, "one", "of@1.service"))
    units.fork("-n", "three", "web.service")
    units.world.fork("-n", "web", "--", "sleep", "infinity").wait(0)
    for name in ("one", "two", "three", "web"):
        units.world.run("stop", name, code=0)


def test_who_was_killed_runs_nothing(units):
    units.fork("-n", "one", "web.service")
    daemon = units.world.daemon("one")
    main = Process(units.world.pump, units.jobs("one")["web.service"]["mainPid"])
    daemon.kill(signal.SIGKILL)
    daemon.wait()
    main.wait()
    units.fork("-n", "two", "web.service")
    units.world.run("stop", "two", code=0)


def test_a_restart_keeps_it(units):
    """Also while the next life is only waited for."""
    units.write("web.service", "ExecStart=/bin/false\nRestart=always\nRestartSec=1h\nType=exec\n")
    units.fork("-n", "one", "web.service")
    units.world.until_logged("stage=restart")
    assert units.fork("-n", "two", "web.service", code=1).err.endswith(said(units, "one"))
    units.world.run("stop", "one", code=0)
