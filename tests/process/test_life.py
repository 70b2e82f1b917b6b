"""The life of a service as systemd.service(5) has it, with real processes: what a command line can say by -p, and what only
a unit file can."""
import json
import os
import shutil
import signal
import subprocess

import pytest

from lib import Process

ID = r"$INVOCATION_ID"


class Diary:
    """A file that the commands write to."""

    def __init__(self, world):
        self.world, self.path = world, world.work / "diary"

    def command(self, text, then=""):
        """A command of a unit that writes @text as sh understands it, and does @then."""
        return f"sh -c 'echo {text} >> {self.path}; {then}'".replace("$", "$$")

    def lines(self):
        return self.path.read_text().splitlines() if self.path.exists() else []

    def until(self, line):
        self.world.files.until(self.path, lambda text: line in text.splitlines(), repr(line))


@pytest.fixture
def diary(world):
    return Diary(world)


def unit(world, *lines, name="web", section="Service"):
    path = world.work / f"{name}.service"
    path.write_text(f"[{section}]\n" + "\n".join(lines) + "\n")
    path.chmod(0o644)
    return path


def forked_unit(world, path, code=0):
    world.fork(str(path)).wait(code)


def status(world, name="web"):
    found, = json.loads(world.run("status", name, "--json").out)["jobs"]
    return found


def properties(*assignments):
    return [word for assignment in assignments for word in ("-p", assignment)]


# --- RemainAfterExit=, several ExecStart=, none

@pytest.mark.everyone
@pytest.mark.parametrize("kind", ["oneshot", "exec"])
def test_remain_after_exit(world, diary, kind):
    """The command line's own example: up without a process, and ExecStop= at the stop."""
    world.fork("-n", "web", *properties(f"Type={kind}", "RemainAfterExit=yes", f"ExecStop={diary.command('stop')}"), "--",
               "sh", "-c", f"echo main >> {diary.path}").wait(0)
    diary.until("main")
    world.until_logged("child-exit")
    job = status(world)
    assert job["state"] == "exited" and job["ready"] and not job.get("mainPid")
    world.run("stop", "web", code=0)
    assert diary.lines() == ["main", "stop"]


def test_remain_after_exit_fails(world, diary):
    """What has failed does not remain."""
    run = world.start("-n", "web", *properties("Type=exec", "RemainAfterExit=yes"), "--", "sh", "-c", "exit 3")
    run.wait(3)


def test_remaining_is_started_again(world, diary):
    world.fork("-n", "web", *properties("Type=oneshot", "RemainAfterExit=yes", f"ExecStop={diary.command('stop')}"), "--",
               "sh", "-c", f"echo main >> {diary.path}").wait(0)
    world.run("restart", "web", code=0)
    assert diary.lines() == ["main", "stop", "main"]
    world.run("stop", "web", code=0)


def test_several_exec_start(world, diary):
    """One after the other; "-" before one whose failure does not matter; one invocation id for all, others in the next life."""
    path = unit(world, "Type=oneshot", "RemainAfterExit=yes", f"ExecStartPre={diary.command('pre ' + ID)}",
                f"ExecStart={diary.command('one ' + ID)}", f"ExecStart=-{diary.command('two ' + ID, 'exit 7')}",
                f"ExecStart={diary.command('three ' + ID)}", f"ExecStop={diary.command('stop ' + ID)}")
    forked_unit(world, path)
    world.run("restart", "web", code=0)
    world.run("stop", "web", code=0)
    words = [line.split() for line in diary.lines()]
    assert [word[0] for word in words] == ["pre", "one", "two", "three", "stop"] * 2
    first, second = {word[1] for word in words[:5]}, {word[1] for word in words[5:]}
    assert len(first) == len(second) == 1 and first != second
    assert all(len(x) == 32 and set(x) <= set("0123456789abcdef") for x in first | second)


def test_a_failing_one_ends_the_start(world, diary):
    path = unit(world, "Type=oneshot", f"ExecStart={diary.command('one')}", f"ExecStart={diary.command('two', 'exit 7')}",
                f"ExecStart={diary.command('three')}", f"ExecStopPost={diary.command('post $SERVICE_RESULT $EXIT_STATUS')}")
    world.start(str(path)).wait(7)
    assert diary.lines() == ["one", "two", "post exit-code 7"]


def test_no_exec_start(world, diary):
    path = unit(world, "Type=oneshot", "RemainAfterExit=yes", f"ExecStop={diary.command('stop')}")
    forked_unit(world, path)
    assert status(world)["state"] == "exited"
    world.run("stop", "web", code=0)
    assert diary.lines() == ["stop"]


def test_ignored_failure(world):
    """ "-" before ExecStart=: a failure counts as success, and Restart=on-failure has nothing to do. The exit status is told."""
    path = unit(world, "Type=exec", "Restart=on-failure", "ExecStart=-sh -c 'exit 9'")
    run = world.start(str(path))
    run.wait(9)
    assert "restart" not in run.err and "result: success" in run.err


# --- ExecCondition=

@pytest.mark.parametrize("code, runs, result", [(0, True, "success"), (1, False, "exec-condition"),
                                                (254, False, "exec-condition"), (255, False, "exit-code")])
def test_exec_condition(world, diary, code, runs, result):
    run = world.start("-n", "web", *properties(
        "Type=oneshot", f"ExecCondition={diary.command('condition', f'exit {code}')}", f"ExecStartPre={diary.command('pre')}",
        f"ExecStopPost={diary.command('post $SERVICE_RESULT')}"), "--", "sh", "-c", f"echo main >> {diary.path}")
    assert (run.wait().code == 0) == (result != "exit-code")
    assert diary.lines() == ["condition", *(["pre", "main"] if runs else []), f"post {result}"]


# --- ExitType=, Type=forking without a main process

def test_exit_type_cgroup(world):
    """The main process ends, its child goes on, and so does the service: until that ends, too."""
    hold = world.holder()[1]
    with world.forked("-p", "Type=exec", "-p", "ExitType=cgroup", command=["sh", "-c", f"cat {hold} & exit 0"]) as daemon:
        world.until_held()
        world.until_logged("child-exit")
        assert status(world)["state"] == "up"
        pid, = status(world)["pids"]
        os.kill(pid, signal.SIGTERM)
        assert daemon.wait() == 0


def test_nobody_knows_the_main_process(world):
    """GuessMainPID=no without PIDFile=: up when the first process has ended, until the last one has."""
    hold = world.holder()[1]
    with world.forked("-p", "Type=forking", "-p", "GuessMainPID=no",
                      command=["sh", "-c", f"cat {hold} & cat {hold} &"]) as daemon:
        world.until_held()
        job = status(world)
        assert job["state"] == "up" and not job.get("mainPid")
        world.run("stop", "web", code=0)
        assert daemon.wait() == 0


# --- time

def test_runtime_max(world):
    run = world.start("-n", "web", *properties("Type=exec", "RuntimeMaxSec=300ms"), "--", *world.holder())
    run.wait()
    assert run.code != 0 and "RuntimeMaxSec=" in run.err


@pytest.mark.parametrize("mode, signals", [("terminate", ["TERM"]), ("abort", ["ABRT"]), ("kill", [])])
def test_timeout_start_failure_mode(world, diary, mode, signals):
    """Which signal ends a start that takes too long."""
    script = (f"for s in TERM ABRT; do trap \"echo $s >> {diary.path}; exit 1\" $s; done; "
              f"echo up >> {diary.path}; while :; do cat {world.fifo('never').path} & wait; done")
    run = world.start("-n", "web", *properties("Type=notify", "TimeoutStartSec=500ms", f"TimeoutStartFailureMode={mode}"),
                      "--", "sh", "-c", script)
    assert run.wait().code != 0
    assert diary.lines() == ["up", *signals]


@pytest.mark.parametrize("mode, signals", [("terminate", ["TERM"]), ("abort", ["TERM", "ABRT"])])
def test_timeout_stop_failure_mode(world, mode, signals):
    command, tell, _ = world.actor("TERM", "ABRT")
    world.fork("-n", "web", *properties("Type=exec", "TimeoutStopSec=300ms", f"TimeoutStopFailureMode={mode}"), "--",
               *command).wait(0)
    tell.expect("up")
    world.run("stop", "web")
    assert tell.lines() == [f"got {signal}" for signal in signals]


def test_restart_kill_signal(world):
    """A restart that is asked for has a signal of its own, a stop has KillSignal=."""
    command, tell, gate = world.actor("TERM", "USR1")
    world.fork("-n", "web", *properties("Type=exec", "RestartKillSignal=USR1"), "--", *command).wait(0)
    tell.expect("up")
    for verb, number in (("restart", "USR1"), ("stop", "TERM")):
        run = world.start(verb, "web")
        tell.expect(f"got {number}")
        gate.say("exit 0")
        if verb == "restart":
            tell.expect("up")
        run.wait(0)
    assert tell.lines() == []


# --- Type=idle

def test_idle(world, diary):
    """Its program runs when the others have been started, whatever order they were asked for in."""
    hold = world.holder()[1]
    idle = unit(world, "Type=idle", f"ExecStart={diary.command('idle', f'exec cat {hold}')}", name="a-idle")
    slow = unit(world, "Type=oneshot", "RemainAfterExit=yes", f"ExecStart={diary.command('slow', 'sleep 0.2; echo slower')}",
                f"ExecStart={diary.command('slower')}", name="b-slow")
    world.fork("-n", "web", str(idle), str(slow)).wait(0)
    world.until_held()
    assert diary.lines() == ["slow", "slower", "idle"]
    world.daemon("web").kill()


# --- what the commands find

def test_environment(world, diary):
    path = unit(world, "Type=simple", "FileDescriptorStoreMax=7", "NotifyAccess=all", "WatchdogSec=60",
                "ExecStart=sh -c 'echo main $$FDSTORE $$WATCHDOG_USEC $$SYSTEMD_EXEC_PID $$$$ >> "
                + f"{diary.path}; exec cat {world.holder()[1]}'",
                f"ExecStop={diary.command('stop $MAINPID $SERVICE_RESULT')}",
                f"ExecStopPost={diary.command('post $EXIT_CODE $EXIT_STATUS')}")
    forked_unit(world, path)
    world.until_held()
    pid = status(world)["mainPid"]
    world.run("stop", "web", code=0)
    assert diary.lines() == [f"main 7 60000000 {pid} {pid}", f"stop {pid} success", "post killed TERM"]


def test_environment_file_is_read_at_each_start(world, diary):
    env = world.work / "env"
    env.write_text("WHAT=one\n")
    path = unit(world, "Type=oneshot", "RemainAfterExit=yes", f"EnvironmentFile={env}",
                f"ExecStart={diary.command('$WHAT')}")
    forked_unit(world, path)
    env.write_text("WHAT=two\n")
    world.run("restart", "web", code=0)
    world.run("stop", "web", code=0)
    assert diary.lines() == ["one", "two"]


# --- KILL of the daemon

@pytest.mark.everyone
def test_never_two_copies(world):
    """A main process that ignores its KillSignal= outlives a SIGKILL of the daemon; the next start ends it, with a cgroup (root)
    and without one (nobody)."""
    command, tell, gate = world.actor()
    world.fork("-n", "web", "--", *command).wait(0)
    gate.say("ignore TERM")
    tell.expect("did ignore")
    daemon, main = world.daemon("web"), Process(world.pump, status(world)["mainPid"])
    daemon.kill(signal.SIGKILL)
    daemon.wait()
    assert main.alive()
    with world.forked():
        main.wait()


# --- Type=dbus

@pytest.fixture
def bus(world):
    if world.who != "root" or not shutil.which("dbus-daemon"):
        pytest.skip("a bus of our own: dbus-daemon, and root's service")
    path = world.work / "bus"
    conf = world.work / "bus.conf"
    conf.write_text(f"<busconfig><type>custom</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>"
                    "<policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>"
                    "<allow own='*'/></policy></busconfig>")
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={conf}", "--nofork", "--nopidfile", "--print-address=1"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert daemon.stdout.readline()  # it listens
    yield path
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


def bus_name(path):
    script = os.path.join(os.path.dirname(__file__), "bus_name.py")
    return ["/usr/bin/python3", "-ISc", open(script).read(), str(path), "org.example.Amphid"]


DBUS = ("-p", "Type=dbus", "-p", "BusName=org.example.Amphid", "-p", "TimeoutStartSec=20")


def test_dbus(world, bus):
    """Up when the name is taken; and when it is given back the service ends, though its process would go on."""
    env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}"}
    with world.forked(*DBUS, command=bus_name(bus), env=env.items()) as daemon:
        job = status(world)
        assert job["state"] == "up"
        os.kill(job["mainPid"], signal.SIGUSR1)
        assert daemon.wait() == 0


def test_dbus_without_a_bus(world):
    env = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/no/such/bus", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/no/such/bus"}
    run = world.start("-n", "web", *DBUS, "--", *world.holder(), env=env.items())
    assert run.wait().code != 0
    assert "no D-Bus" in run.err
