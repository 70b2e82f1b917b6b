"""Verbs and signals: status, list, stop, reload, wait; what the exit status says; the resident daemon."""
import json
import signal

import pytest

from lib import LONG, Process, ms


def foreground(world, *args, command, **kw):
    return world.start(f"--log=file:{world.log}", "-n", "web", *args, "--", *command, **kw)


# --- verbs about an instance that runs, is dead, or is not there

@pytest.mark.everyone
def test_status_and_stop(world):
    world.run("status", "web", code=3)
    world.fork("-n", "web", "--", *world.holder()).wait(0)
    daemon = world.daemon("web")
    child = daemon.only_child()
    run = world.run("status", "web", code=0)
    assert "web" in run.out and str(daemon.pid) in run.out and str(child.pid) in run.out and run.err == ""
    run = world.run("stop", "web", code=0)
    assert (run.out, run.err) == ("", "")
    # All that is left is the daemon's exit.
    assert child.gone and not world.pidfile("web").parent.exists() and world.log_stages()[-1] == "stopped"
    world.run("status", "web", code=3)
    assert daemon.wait() == 0


@pytest.mark.everyone
def test_the_name_is_free_when_stop_returns(world):
    for _ in range(10):
        world.fork("-n", "web", "--", *world.holder()).wait(0)
        world.run("stop", "web", code=0)
    assert world.settle()


@pytest.mark.everyone
def test_stop_what_is_not_running(world):
    run = world.run("stop", "web", code=0)
    assert "not running" in run.err + run.out or run.err + run.out == ""
    world.run("reload", "web", code=7)
    world.run("wait", "web", code=7)


@pytest.mark.everyone
def test_status_json(world):
    with world.forked() as daemon:
        instance = json.loads(world.run("status", "web", "--json", code=0).out)
        assert instance["name"] == "web" and instance["pid"] == daemon.pid and instance["mode"] == "fork"
        job, = instance["jobs"]
        assert job["mainPid"] == daemon.only_child().pid and job["state"] == "up"
        assert job["command"] == world.holder()
    stopped = json.loads(world.run("status", "web", "--json", code=3).out)
    assert stopped["name"] == "web"


@pytest.mark.everyone
def test_list(world):
    assert json.loads(world.run("list", "--json", code=0).out) == []
    with world.forked(name="one") as one, world.forked(name="two") as two:
        found = {i["name"]: i["pid"] for i in json.loads(world.run("list", "--json", code=0).out)}
        assert found == {"one": one.pid, "two": two.pid}
        lines = world.run("list", code=0).out.splitlines()
        assert len(lines) >= 3 and [sum(name in line.split() for line in lines) for name in ("one", "two")] == [1, 1]


@pytest.mark.everyone
def test_status_of_all(world):
    with world.forked(name="one"), world.forked(name="two"):
        out = world.run("status", code=0).out
        assert "one" in out and "two" in out


def test_status_of_a_dead_instance(world):
    world.fork("-n", "web", "--", *world.holder()).wait(0)
    daemon = world.daemon("web")
    child = daemon.only_child()
    daemon.kill(signal.SIGKILL)
    daemon.wait()
    run = world.run("status", "web", code=1)
    assert "web" in run.out + run.err
    world.run("stop", "web", code=0)
    world.run("reload", "web", code=7)
    child.wait()  # it has heard of its daemon's end


def test_status_of_an_instance_that_does_not_answer(world):
    """Stopped by SIGSTOP: it is there, but who knows how it is. The asker does not hang for ever."""
    with world.forked() as daemon:
        daemon.kill(signal.SIGSTOP)
        run = world.start("status", "web")
        world.pump.until(run.ended, "an answer", LONG)
        run.wait(4)
        daemon.kill(signal.SIGCONT)


def begin_to_wait(world):
    """`amphid wait`, connected: what starts and asks twice after it has taken longer."""
    waiting = world.start("wait", "web")
    for _ in range(2):
        world.run("status", "web", code=0)
    waiting.still_waits()
    return waiting


@pytest.mark.everyone
def test_wait(world):
    command, tell, gate = world.actor()
    world.fork("-n", "web", "--", *command).wait(0)
    tell.expect("up")
    daemon = world.daemon("web")
    waiting = begin_to_wait(world)
    gate.say("exit 23")
    waiting.wait(23)
    assert daemon.wait() == 23


def test_wait_for_one_that_is_killed(world):
    command, tell, gate = world.actor()
    world.fork("-n", "web", "--", *command).wait(0)
    tell.expect("up")
    daemon = world.daemon("web")
    waiting = begin_to_wait(world)
    gate.say("kill KILL")
    waiting.wait(128 + signal.SIGKILL)
    daemon.wait()


def test_wait_for_one_that_is_stopped(world):
    world.fork("-n", "web", "--", *world.holder()).wait(0)
    daemon = world.daemon("web")
    waiting = begin_to_wait(world)
    world.run("stop", "web", code=0)
    waiting.wait(0)
    daemon.wait()


@pytest.mark.everyone
def test_reload(world):
    command, tell, _ = world.actor("HUP")
    with world.forked(command=command) as daemon:
        tell.expect("up")
        world.run("reload", "web", code=0)
        tell.expect("got HUP")
        daemon.kill(signal.SIGHUP)
        tell.expect("got HUP")
        assert daemon.alive()


def test_reload_while_it_starts_is_refused(world):
    command, tell, gate = world.actor("HUP")
    start = world.fork("-n", "web", "-p", "Type=notify", "--", *command)
    tell.expect("up")
    run = world.run("reload", "web", code=1)
    assert len(run.err.splitlines()) == 1 and "starting" in run.err
    gate.say("notify READY=1")
    start.wait(0)
    world.run("reload", "web", code=0)
    tell.expect("got HUP")
    world.run("stop", "web", code=0)
    world.settle()


@pytest.mark.root
@pytest.mark.private
def test_a_user_may_look_at_roots_instance_but_not_change_it(world):
    import sandbox
    user = {"user": sandbox.UID, "group": sandbox.UID, "extra_groups": []}
    with world.forked() as daemon:
        run = world.run("status", "web", code=0, **user)
        assert str(daemon.pid) in run.out
        for verb in ("stop", "reload"):
            run = world.run(verb, "web", **user)
            assert run.code in (1, 4) and len(run.err.splitlines()) == 1, run
        assert daemon.alive()


# --- signals to the daemon, exit status of the foreground

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("fork", [True, False], ids=["fork", "foreground"])
def test_the_end_that_was_asked_for_is_a_clean_one(world, number, fork):
    command, tell, gate = world.actor("TERM")
    if fork:
        world.fork("-n", "web", "--", *command).wait(0)
        daemon = world.daemon("web")
    else:
        run = foreground(world, command=command)
    tell.expect("up")
    (daemon if fork else run).kill(number)
    tell.expect("got TERM")
    gate.say("exit 0")
    assert daemon.wait() == 0 if fork else run.wait(0)


@pytest.mark.parametrize("order, code", [("exit 0", 0), ("exit 1", 1), ("exit 255", 255), ("kill TERM", 143),
                                         ("kill KILL", 137), ("kill ABRT", 134)])
def test_foreground_exit_status(world, order, code):
    command, tell, gate = world.actor()
    run = foreground(world, command=command)
    tell.expect("up")
    gate.say(order)
    run.wait(code)
    assert not world.pidfile("web").exists()


@pytest.mark.parametrize("args, code", [(["--", "/no/such/program"], 203), (["--uid=no-such-user", "--", "true"], 217),
                                        (["--gid=no-such-group", "--", "true"], 216),
                                        (["-p", "WorkingDirectory=/no/such", "--", "true"], 200)])
def test_foreground_set_up_failures(world, args, code):
    run = world.run("-n", "web", *args, code=code)
    assert any(line.startswith("amphid") for line in run.err.splitlines()), run
    assert not world.pidfile("web").exists()


def test_asked_to_stop_and_ended_badly(world):
    """SIGTERM was answered with exit 3: that is the command's own word."""
    command, tell, gate = world.actor("TERM")
    run = foreground(world, command=command)
    tell.expect("up")
    run.kill()
    tell.expect("got TERM")
    gate.say("exit 3")
    run.wait(3)


def test_sigkill_after_the_time_to_stop(world):
    command, tell, _ = world.actor("TERM")
    run = foreground(world, "-p", f"TimeoutStopSec={ms(150)}", command=command)
    tell.expect("up")
    run.kill()
    tell.expect("got TERM")
    run.wait(137)
    assert "timeout" in world.log.read_text()


def test_stop_of_a_deaf_command(world):
    command, tell, _ = world.actor("TERM")
    world.fork("-n", "web", "-p", f"TimeoutStopSec={ms(150)}", "--", *command).wait(0)
    tell.expect("up")
    daemon = world.daemon("web")
    world.run("stop", "web", code=0)
    tell.expect("got TERM")
    assert daemon.wait() != 0


def test_a_second_sigterm_changes_nothing(world):
    command, tell, gate = world.actor("TERM")
    run = foreground(world, command=command)
    tell.expect("up")
    for _ in range(3):
        run.kill()
    tell.expect("got TERM")
    run.still_waits()
    gate.say("exit 0")
    run.wait(0)


@pytest.mark.parametrize("name", ["SIGINT", "QUIT", "SIGUSR1"])
def test_kill_signal(world, name):
    short = name.removeprefix("SIG")
    command, tell, gate = world.actor("TERM", short)
    run = foreground(world, "-p", f"KillSignal={name}", command=command)
    tell.expect("up")
    run.kill()
    tell.expect("got " + short)
    gate.say("exit 0")
    run.wait(0)
    assert "got TERM" not in tell.lines()


def test_what_the_command_leaves_behind_goes_with_it(world):
    """A child of the child, in the same group, does not outlive the instance."""
    one, two = world.fifo("one"), world.fifo("two")
    command = ["sh", "-c", f"cat {one.path} & cat {two.path}"]
    with world.forked(command=command) as daemon:
        main = daemon.only_child()
        world.files.until_opened(one.watch)
        world.files.until_opened(two.watch)
        grandchildren = [Process(world.pump, pid) for pid in main.children()]
    for process in grandchildren:
        world.pump.until(lambda p=process: p.gone, f"the end of {process.pid}")


def test_an_orphan_of_the_command_does_not_disturb(world):
    """Double forks inside the command come to whoever is the reaper; the instance goes on."""
    command, tell, gate = world.actor()
    with world.forked(command=["sh", "-c", 'sh -c "true & true" & wait; exec "$@"', "sh", *command]) as daemon:
        tell.expect("up")
        world.run("status", "web", code=0)
        assert daemon.only_child().alive()


def test_a_command_that_ends_at_once(world):
    for _ in range(20):
        run = foreground(world, command=["true"]).wait(0)
        assert run.ended()
    run = world.fork("-n", "web", "--", "true").wait(0)
    assert run.err == "" and world.settle()
    assert not world.pidfile("web").exists()


# --- the resident daemon

@pytest.mark.everyone
def test_resident(world):
    socket = world.notify_socket()
    run = world.start(f"--log=file:{world.log}")
    socket.until_has("READY", "1")
    assert socket.until_has("STATUS")["STATUS"] == "no jobs"
    instance = json.loads(world.run("status", "amphid", "--json", code=0).out)
    assert instance["pid"] == run.pid and instance["jobs"] == [] and instance["statusText"] == "no jobs"
    assert "no jobs" in world.run("status", "amphid").out
    run.kill(signal.SIGHUP)
    socket.until_has("RELOADING", "1")
    run.kill()
    run.wait(0)
    assert socket.has("STOPPING", "1") and not world.pidfile("amphid").exists()


def test_resident_by_fork(world):
    world.fork().wait(0)
    daemon = world.daemon("amphid")
    assert daemon.children() == []
    world.run("stop", "amphid", code=0)
    assert daemon.wait() == 0


@pytest.mark.no_wrapper
@pytest.mark.parametrize("command", [True, False], ids=["one job", "resident"])
def test_no_wake_up_while_idle(world, command):
    name = "web" if command else "amphid"
    world.fork("-n", name, *(["--", *world.holder()] if command else [])).wait(0)
    daemon = world.daemon(name)
    world.run("status", name, code=0)

    def switches():
        status = daemon.status()
        return int(status["voluntary_ctxt_switches"]) + int(status["nonvoluntary_ctxt_switches"])

    world.pump.never(lambda: False, "nothing")  # what the start and the question still cause is over
    before = switches()
    signal.sigtimedwait([signal.SIGWINCH], 1.5)  # time passes: this test is about time itself
    assert switches() == before
    daemon.kill()
    daemon.wait()

