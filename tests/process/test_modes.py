"""Which world it is, and what is said on the notify socket there."""
import json
import os
import signal

import pytest

from lib import COMMAND, FACTOR, Process, ms


def notify_only(world, *args, own_pid=False, **kw):
    """Starts amphid as a service manager does, with its log out of the way."""
    start = world.start_with_own_pid if own_pid else world.start
    return start(f"--log=file:{world.log}", "-n", "web", *args, **kw)


def stop(run):
    run.kill()
    run.wait(0)


def detect_line(world):
    """The first stage: the verdict and its reason."""
    text = world.log.read_text().splitlines()
    assert "stage=detect" in text[0], text
    return text[0]


# --- the table of modes, by what is done

@pytest.mark.everyone
@pytest.mark.parametrize("options", [[], ["--fork"]], ids=["plain", "fork"])
@pytest.mark.parametrize("own_pid", [True, False], ids=["own pid", "no pid"])
def test_systemd(world, own_pid, options):
    """NOTIFY_SOCKET for us: no fork, whatever --fork says."""
    socket = world.notify_socket()
    run = notify_only(world, *options, "--", *world.holder(), own_pid=own_pid)
    socket.until_has("READY", "1")
    assert not run.ended()
    assert world.pidfile("web").read_text() == f"{run.pid}\n", "it did not fork"
    assert all(pid == run.pid for pid, _ in socket.got), "messages of the main process itself"
    stop(run)
    assert "systemd" in detect_line(world)
    assert not {"fork-1", "setsid", "fork-2"} & set(world.log_stages())
    if options:
        assert "skipped" in world.log.read_text() and "--fork" in world.log.read_text()


@pytest.mark.everyone
def test_leaked_with_fork(world):
    socket = world.notify_socket()
    with world.forked(env={"SYSTEMD_EXEC_PID": "1"}) as daemon:
        assert daemon.stat()["ppid"] == os.getpid()
        environ = daemon.only_child().environ()
        assert "NOTIFY_SOCKET" not in environ and "SYSTEMD_EXEC_PID" not in environ
    assert socket.all() == []
    assert "dropped" in world.log.read_text() and "NOTIFY_SOCKET" in world.log.read_text()


def test_leaked_without_fork(world):
    socket = world.notify_socket()
    run = notify_only(world, "--", *world.holder(), env={"SYSTEMD_EXEC_PID": "1"})
    socket.until_has("READY", "1")
    stop(run)
    assert "foreground" in detect_line(world)


@pytest.mark.private
def test_simple_unit_logs_to_the_journal(world):
    journal = world.journal()
    run = world.start_with_own_pid("-n", "web", "--", *world.holder())
    journal.until_stage("ready")
    assert not run.ended()
    stop(run)
    assert journal.stages()[0]["AMPHID_MODE"] == "foreground"
    assert (run.out, run.err) == ("", "")


def test_forking_unit(world):
    run = world.start_with_own_pid("--fork", f"--log=file:{world.log}", "-n", "web", "--", *world.holder()).wait(0)
    daemon = world.daemon("web")
    assert daemon.pid != run.pid and daemon.stat()["sid"] != os.getsid(0)
    daemon.kill()
    daemon.wait()
    assert "mode=fork" in detect_line(world)


def test_plain_foreground(world):
    run = notify_only(world, "--", *world.holder())
    world.until_logged("stage=ready")
    assert world.pidfile("web").read_text() == f"{run.pid}\n"
    stop(run)


def test_an_explicit_fork_wins(world):
    socket = world.notify_socket()
    run = world.start_with_own_pid("--mode=fork", f"--log=file:{world.log}", "-n", "web", "--", *world.holder()).wait(0)
    daemon = world.daemon("web")
    assert daemon.pid != run.pid
    daemon.kill()
    daemon.wait()
    assert not any("READY" in m and pid == run.pid for pid, m in socket.got)


def test_an_explicit_foreground_wins(world):
    socket = world.notify_socket()
    run = notify_only(world, "--mode=foreground", "--", *world.holder(), own_pid=True)
    world.until_logged("stage=ready")
    stop(run)
    assert "foreground" in detect_line(world)
    assert socket.path


def test_an_explicit_systemd_without_a_socket(world):
    run = notify_only(world, "--mode=systemd", "--", *world.holder())
    world.until_logged("stage=ready")
    stop(run)
    assert "systemd" in detect_line(world)


def test_an_abstract_socket(world):
    socket = world.notify_socket(f"\0amphid-test-{os.getpid()}")
    run = notify_only(world, "--", *world.holder())
    socket.until_has("READY", "1")
    stop(run)


def test_a_socket_that_nobody_reads(world):
    """The manager is gone: that is no reason to fail."""
    run = notify_only(world, "--", *world.holder(), env={"NOTIFY_SOCKET": "/no/such/socket"})
    world.until_logged("stage=ready")
    stop(run)


@pytest.mark.parametrize("env, plain, fork", [
    ({}, "foreground", "fork"),
    ({"NOTIFY_SOCKET": "/run/x"}, "systemd", "systemd"),
    ({"NOTIFY_SOCKET": "/run/x", "SYSTEMD_EXEC_PID": "1"}, "foreground", "fork"),
    ({"NOTIFY_SOCKET": "/run/systemd/notify"}, "foreground", "fork"),
    ({"SYSTEMD_EXEC_PID": "1", "INVOCATION_ID": "0" * 32, "JOURNAL_STREAM": "1:2"}, "foreground", "fork"),
])
def test_detect_says_both_verdicts(world, env, plain, fork):
    verdict = json.loads(world.run("detect", "--json", env=env, code=0).out)["verdict"]
    assert (verdict["without_fork"]["mode"], verdict["with_fork"]["mode"]) == (plain, fork)
    assert verdict["without_fork"]["reason"] and verdict["with_fork"]["reason"]
    human = world.run("detect", env=env, code=0).out
    for key, value in env.items():
        assert key in human and value in human
    assert plain in human and fork in human


def test_detect_with_our_own_pid(world):
    world.env["NOTIFY_SOCKET"] = "/run/x"
    run = world.start_with_own_pid("detect").wait(0)
    assert "systemd" in run.out and f"{run.pid}" in run.out


# --- what is said on the notify socket

def test_ready_not_before_it_is_up(world):
    socket = world.notify_socket()
    command, tell, gate = world.actor("HUP")
    run = notify_only(world, "-p", "Type=notify", "--", *command)
    tell.expect("up")
    world.until_logged("stage=exec")
    assert not socket.has("READY")
    gate.say("notify STATUS=halfway")
    tell.expect("did notify")
    world.pump.never(lambda: socket.has("READY"), "READY=1")
    gate.say("notify READY=1")
    socket.until_has("READY", "1")
    assert any("STATUS" in m for m in socket.all())
    stop(run)
    assert socket.order("READY=1", "STOPPING=1") == ["READY=1", "STOPPING=1"]


def test_status_is_in_words(world):
    socket = world.notify_socket()
    run = notify_only(world, "--", *world.holder())
    socket.until(lambda m: "web" in m.get("STATUS", ""), "a STATUS= that names the job")
    child = Process(world.pump, run.pid).only_child()
    assert any(str(child.pid) in m.get("STATUS", "") for m in socket.all())
    stop(run)


def test_reload(world):
    socket = world.notify_socket()
    command, tell, gate = world.actor("HUP")
    run = notify_only(world, "-p", "Type=notify", "--", *command)
    tell.expect("up")
    gate.say("notify READY=1")
    socket.until_has("READY")
    socket.forget()
    run.kill(signal.SIGHUP)
    tell.expect("got HUP")
    message = socket.until_has("RELOADING", "1")
    with open("/proc/uptime") as f:
        assert 0 < int(message["MONOTONIC_USEC"]) <= (float(f.read().split()[0]) + 1) * 1e6
    socket.until_has("READY", "1")
    assert socket.order("RELOADING=1", "READY=1") == ["RELOADING=1", "READY=1"]
    stop(run)


def test_stopping(world):
    socket = world.notify_socket()
    command, tell, gate = world.actor("TERM")
    run = notify_only(world, "--", *command)
    socket.until_has("READY")
    tell.expect("up")
    run.kill()
    tell.expect("got TERM")
    socket.until_has("STOPPING", "1")
    assert not run.ended()
    gate.say("exit 0")
    run.wait(0)
    assert socket.order("READY=1", "STOPPING=1") == ["READY=1", "STOPPING=1"]


def test_exit_status_of_a_failure(world):
    socket = world.notify_socket()
    command, tell, gate = world.actor()
    run = notify_only(world, "--", *command)
    socket.until_has("READY")
    tell.expect("up")
    gate.say("exit 7")
    run.wait(7)
    assert socket.has("EXIT_STATUS", "7")


@pytest.mark.no_wrapper
def test_errno_of_a_failed_exec(world):
    socket = world.notify_socket()
    notify_only(world, "--", "/no/such/program").wait(203)
    assert socket.has("ERRNO", "2")
    assert not socket.has("READY")
    assert any("/no/such/program" in m.get("STATUS", "") for m in socket.all())


def test_a_child_that_ends_before_ready(world):
    socket = world.notify_socket()
    notify_only(world, "-p", "Type=notify", "--", "sh", "-c", "exit 9").wait(9)
    assert socket.has("EXIT_STATUS", "9") and not socket.has("READY")


def test_more_time_is_asked_for_while_a_slow_start_shows_life(world):
    socket = world.notify_socket()
    command, tell, gate = world.actor()
    run = notify_only(world, "-p", "Type=notify", "--", *command)
    tell.expect("up")
    assert not socket.has("EXTEND_TIMEOUT_USEC")
    gate.say("notify STATUS=step 1")
    message = socket.until_has("EXTEND_TIMEOUT_USEC")
    assert int(message["EXTEND_TIMEOUT_USEC"]) > 0
    assert any("step 1" in m.get("STATUS", "") for m in socket.all())
    gate.say("notify READY=1")
    socket.until_has("READY")
    stop(run)


# --- watchdog

def test_watchdog_at_half_of_the_time(world):
    limit = int(1_000_000 * FACTOR)
    socket = world.notify_socket()
    run = world.start(argv=["sh", "-c", 'WATCHDOG_PID=$$; export WATCHDOG_PID; exec "$@"', "sh", *amphid(world),
                            "--", *world.holder()], env={"WATCHDOG_USEC": str(limit)})
    world.pump.until(lambda: sum("WATCHDOG" in m for m in socket.all()) >= 4, "four messages")
    times = [t for (_, m), t in zip(socket.got, socket.times) if m.get("WATCHDOG") == "1"]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert all(gap < limit / 1e6 for gap in gaps), gaps
    assert min(gaps[1:]) > limit / 1e6 / 4, f"no more often than needed: {gaps}"
    stop(run)


def amphid(world):
    return [*COMMAND, f"--log=file:{world.log}", "-n", "web"]


def test_watchdog_without_a_pid_is_ours(world):
    socket = world.notify_socket()
    run = notify_only(world, "--", *world.holder(), env={"WATCHDOG_USEC": "200000"})
    socket.until_has("WATCHDOG", "1")
    stop(run)


@pytest.mark.parametrize("env", [{"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"},
                                 {"WATCHDOG_USEC": "garbage"}, {}])
def test_no_watchdog(world, env):
    socket = world.notify_socket()
    run = notify_only(world, "--", *world.holder(), env=env)
    socket.until_has("READY")
    world.pump.never(lambda: socket.has("WATCHDOG"), "WATCHDOG=1")
    stop(run)


def test_a_stopped_child_feeds_no_watchdog(world):
    """It is there and does nothing: the manager must hear no word of life until it goes on."""
    socket = world.notify_socket()
    run = notify_only(world, "--", *world.holder(), env={"WATCHDOG_USEC": "60000"})
    socket.until_has("WATCHDOG", "1")
    child = Process(world.pump, run.pid).only_child()
    child.kill(signal.SIGSTOP)
    while not child.status()["State"].startswith("T"):  # a signal that is sent is no event for us
        os.sched_yield()
    before = sum("WATCHDOG" in m for m in socket.all())
    world.pump.never(lambda: sum("WATCHDOG" in m for m in socket.all()) > before + 1, "WATCHDOG=1")
    child.kill(signal.SIGCONT)
    world.pump.until(lambda: sum("WATCHDOG" in m for m in socket.all()) > before + 1, "WATCHDOG=1 again")
    stop(run)


# --- what the child inherits of it

@pytest.mark.everyone
def test_the_child_never_inherits_the_managers_socket(world):
    socket = world.notify_socket()
    run = notify_only(world, "--", *world.holder(), env={"WATCHDOG_USEC": "30000000", "INVOCATION_ID": "0" * 32})
    socket.until_has("READY")
    world.until_held()
    environ = Process(world.pump, run.pid).only_child().environ()
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"} & set(environ)
    stop(run)


@pytest.mark.everyone
def test_a_notify_child_gets_our_own_socket(world):
    socket = world.notify_socket()
    command, tell, gate = world.actor()
    run = notify_only(world, "-p", "Type=notify", "--", *command)
    tell.expect("up")
    environ = Process(world.pump, run.pid).only_child().environ()
    assert environ["NOTIFY_SOCKET"] == str(world.base / "web" / "notify")
    gate.say("notify READY=1|STATUS=all is well")
    socket.until_has("READY")
    assert "all is well" in world.run("status", "web", code=0).out
    assert all(pid == run.pid for pid, _ in socket.got)
    stop(run)


def test_a_strange_message_of_the_child_does_no_harm(world):
    command, tell, gate = world.actor()
    run = notify_only(world, "-p", "Type=notify", "--", *command)
    tell.expect("up")
    for message in ("", "=", "READY", "READY=0", "X" * 3000, "MAINPID=1", "FDSTORE=1|FDNAME=x", "WATCHDOG=trigger"):
        gate.say("notify " + message)
        tell.expect("did notify")
    assert '"starting"' in world.run("status", "web", "--json").out
    gate.say("notify READY=1")
    world.until_logged("stage=ready")
    stop(run)


@pytest.mark.root
def test_only_the_child_is_listened_to(world):
    """READY=1 of a stranger is not the child's."""
    import socket as sockets
    command, tell, gate = world.actor()
    run = notify_only(world, "-p", "Type=notify", "-p", f"TimeoutStartSec={ms(60000)}", "--", *command)
    tell.expect("up")
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_DGRAM) as stranger:
        stranger.sendto(b"READY=1", str(world.base / "web" / "notify"))
    world.pump.never(lambda: "stage=ready" in world.log.read_text(), "ready by a stranger's word")
    gate.say("notify READY=1")
    world.until_logged("stage=ready")
    stop(run)
