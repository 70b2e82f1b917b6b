"""--fork: the starter returns 0 only when the service is up, else it tells why."""
import os
import resource
import signal

import pytest

from lib import COMMAND, LONG, ms

NOTIFY = ("-p", "Type=notify")


def failed(world, code, *args, name="web", **kw):
    """Starts what cannot come up: exit @code, one line with the reason, nothing left. Returns stderr's lines."""
    run = world.fork("-n", name, *args, **kw).wait(code)
    lines = run.err.splitlines()
    assert lines and lines[0].startswith(f"amphid: {name}: "), run
    assert run.out == "", run
    world.until_logged("stage=failed")
    world.pump.until(lambda: not world.pidfile(name).parent.exists() or None, "the instance's directory to go", LONG)
    return lines


# --- up

@pytest.mark.everyone
def test_exec_is_up_when_the_program_runs(world):
    with world.forked() as daemon:
        assert daemon.only_child().read("cmdline").split("\0")[:2] == world.holder()


@pytest.mark.everyone
def test_a_good_start_says_nothing(world):
    run = world.fork("-n", "web", "--", *world.holder()).wait(0)
    assert (run.out, run.err) == ("", "")
    world.run("stop", "web", code=0)
    world.settle()


@pytest.mark.everyone
def test_notify_the_starter_waits_for_ready(world):
    command, tell, gate = world.actor()
    run = world.fork("-n", "web", *NOTIFY, "--", *command)
    tell.expect("up")
    run.still_waits()
    assert '"starting"' in world.run("status", "web", "--json").out
    gate.say("notify STATUS=nearly there")
    tell.expect("did notify")
    run.still_waits()
    gate.say("notify READY=1")
    run.wait(0)
    daemon = world.daemon("web")
    assert '"up"' in world.run("status", "web", "--json", code=0).out
    assert "nearly there" in world.run("status", "web").out
    daemon.kill()
    assert daemon.wait() == 0


@pytest.mark.everyone
def test_oneshot_the_starter_waits_for_its_good_end(world):
    command, tell, gate = world.actor()
    run = world.fork("-n", "once", "-p", "Type=oneshot", "--", *command)
    tell.expect("up")
    run.still_waits()
    daemon = world.daemon("once")
    gate.say("exit 0")
    run.wait(0)
    assert daemon.wait() == 0
    assert not world.pidfile("once").parent.exists()


def test_oneshot_that_fails(world):
    lines = failed(world, 3, "-p", "Type=oneshot", "--", "sh", "-c", "echo no luck >&2; exit 3", name="once")
    assert "3" in lines[0] and "no luck" in lines[1:][-1]


def test_simple_is_up_at_once(world):
    with world.forked("-p", "Type=simple") as daemon:
        assert daemon.alive()


def test_exec_that_ends_later_was_up(world):
    """Type=exec promises the exec and no more."""
    command, tell, gate = world.actor()
    world.fork("-n", "web", "--", *command).wait(0)
    daemon = world.daemon("web")
    tell.expect("up")
    gate.say("exit 5")
    assert daemon.wait() == 5
    world.until_logged("stage=child-exit")


def test_no_wait_returns_before_ready(world):
    command, tell, gate = world.actor()
    world.fork("-n", "web", "--no-wait", *NOTIFY, "--", *command).wait(0)
    tell.expect("up")
    daemon = world.daemon("web")
    gate.say("notify READY=1")
    world.until_logged("stage=ready")
    daemon.kill()
    assert daemon.wait() == 0


# --- it cannot be executed

@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_203_not_found(world):
    lines = failed(world, 203, "--", "/no/such/program")
    assert "/no/such/program" in lines[0] and "No such file" in lines[0]


def test_203_not_found_in_path(world):
    lines = failed(world, 203, "--", "amphid-no-such-program")
    assert "amphid-no-such-program" in lines[0]


@pytest.mark.no_wrapper
@pytest.mark.user
def test_203_not_executable(world):
    path = world.work / "plain.txt"
    path.write_text("hello\n")
    path.chmod(0o644)
    lines = failed(world, 203, "--", str(path))
    assert str(path) in lines[0] and "Permission denied" in lines[0]


@pytest.mark.no_wrapper
def test_203_a_directory(world):
    lines = failed(world, 203, "--", str(world.work))
    assert str(world.work) in lines[0]


@pytest.mark.no_wrapper
def test_203_bad_interpreter(world):
    """The kernel's ENOENT is about the interpreter: the line names the script, and better the interpreter too."""
    path = world.work / "script"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    lines = failed(world, 203, "--", str(path))
    assert str(path) in lines[0]


@pytest.mark.no_wrapper
def test_203_no_program_at_all(world):
    path = world.work / "garbage"
    path.write_bytes(b"\x7fELF garbage")
    path.chmod(0o755)
    lines = failed(world, 203, "--", str(path))
    assert str(path) in lines[0] and "format" in lines[0]


def in_a_directory_that_has_gone(world, *args):
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    return world.start(argv=["sh", "-c", script, "sh", *COMMAND, *args])


@pytest.mark.no_wrapper
def test_relative_to_a_directory_that_has_gone(world):
    """What cannot be found is said to be that, by its own name, and nothing is run instead."""
    log = f"--log=file:{world.log}"
    program = in_a_directory_that_has_gone(world, "--fork", log, "-n", "web", "--", "./true").wait(203)
    assert program.err == "amphid: web: './true' cannot be found: No such file or directory\n", program
    pidfile = in_a_directory_that_has_gone(world, "--fork", log, "-n", "web", "--pidfile", "pid", "--", "true").wait(1)
    assert pidfile.err == "amphid: web: PID file pid cannot be found: No such file or directory\n", pidfile
    unit = in_a_directory_that_has_gone(world, "--fork", log, "./web.service").wait(5)
    assert "./web.service: there is no such unit" in unit.err, unit
    verify = in_a_directory_that_has_gone(world, "verify", "./web.service").wait(5)
    assert verify.err == "amphid: ./web.service: there is no such unit\n", verify


# --- the surroundings it asks for cannot be had

@pytest.mark.everyone
def test_217_unknown_user(world):
    lines = failed(world, 217, "-p", "User=no-such-user", "--", "true")
    assert "no-such-user" in lines[0]


def test_217_by_option(world):
    failed(world, 217, "--uid=no-such-user", "--", "true")


@pytest.mark.everyone
def test_216_unknown_group(world):
    lines = failed(world, 216, "-p", "Group=no-such-group", "--", "true")
    assert "no-such-group" in lines[0]


def test_216_unknown_supplementary_group(world):
    failed(world, 216, "-p", "SupplementaryGroups=no-such-group", "--", "true")


@pytest.mark.user
def test_a_user_cannot_become_root(world):
    run = world.fork("-n", "web", "-p", "User=root", "--", "true").wait()
    assert run.code in (216, 217), run
    assert "Operation not permitted" in run.err.splitlines()[0]


@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_200_no_such_directory(world):
    lines = failed(world, 200, "-p", "WorkingDirectory=/no/such/directory", "--", "true")
    assert "/no/such/directory" in lines[0]


@pytest.mark.no_wrapper
def test_200_by_option(world):
    failed(world, 200, "--working-directory=/etc/passwd", "--", "true")


def test_a_missing_directory_may_be_forgiven(world):
    with world.forked("-p", "WorkingDirectory=-/no/such/directory") as daemon:
        assert daemon.only_child().cwd() == "/"


@pytest.mark.no_wrapper
@pytest.mark.user
def test_205_above_the_hard_limit(world):
    lines = failed(world, 205, "-p", "LimitNOFILE=500:1000", "--", "true",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
    assert "NOFILE" in lines[0]


# --- it does not come up

@pytest.mark.everyone
def test_ended_before_it_was_ready(world):
    lines = failed(world, 7, *NOTIFY, "--", "sh", "-c", "echo one >&2; echo two >&2; exit 7")
    assert "7" in lines[0]
    assert [line.split()[-1] for line in lines[-2:]] == ["one", "two"]


def test_ended_well_but_not_ready_is_a_failure(world):
    failed(world, 1, *NOTIFY, "--", "true")


@pytest.mark.parametrize("name", ["SEGV", "KILL", "TERM"])
def test_killed_before_it_was_ready(world, name):
    command, tell, gate = world.actor()
    run = world.fork("-n", "web", *NOTIFY, "--", *command)
    tell.expect("up")
    gate.say(f"kill {name}")
    run.wait(128 + getattr(signal, "SIG" + name))
    assert "SIG" + name in run.err.splitlines()[0]


def test_not_ready_in_time(world):
    command, tell, _ = world.actor()
    run = world.fork("-n", "web", *NOTIFY, "-p", f"TimeoutStartSec={ms(400)}", "--", *command)
    tell.expect("up")
    run.wait(1)
    assert run.err.startswith("amphid: web: ") and "TimeoutStartSec" in run.err or "ready" in run.err
    world.until_logged("stage=failed")


def test_not_ready_in_time_and_deaf_to_sigterm(world):
    command, tell, gate = world.actor("TERM")
    run = world.fork("-n", "web", *NOTIFY, "-p", f"TimeoutStartSec={ms(400)}", "-p", f"TimeoutStopSec={ms(100)}",
                     "--", *command)
    tell.expect("got TERM")
    run.wait(1)


def test_a_slow_start_may_ask_for_more_time(world):
    command, tell, gate = world.actor()
    run = world.fork("-n", "web", *NOTIFY, "-p", f"TimeoutStartSec={ms(500)}", "--", *command)
    tell.expect("up")
    gate.say("notify EXTEND_TIMEOUT_USEC=60000000")
    tell.expect("did notify")
    for _ in range(5):  # past the first limit
        run.still_waits()
    gate.say("notify READY=1")
    run.wait(0)
    daemon = world.daemon("web")
    daemon.kill()
    assert daemon.wait() == 0


def test_the_last_lines_of_stderr_are_shown(world):
    script = "i=0; while [ $i -lt 200 ]; do echo line $i >&2; i=$((i+1)); done; printf unfinished >&2; exit 9"
    lines = failed(world, 9, *NOTIFY, "--", "sh", "-c", script)
    assert lines[-1].endswith("unfinished") and lines[-2].endswith("line 199")
    assert 3 < len(lines) < 60, "the last lines, not all of them"


@pytest.mark.no_wrapper
def test_a_failed_start_can_be_followed_at_once(world):
    """When the starter has said no, nothing of the failed instance is in the way of the next."""
    for _ in range(10):
        world.fork("-n", "web", "--", "/no/such/program").wait(203)
        world.fork("-n", "web", *NOTIFY, "--", "false").wait(1)
    with world.forked():
        pass


def test_stdout_is_not_shown(world):
    lines = failed(world, 9, *NOTIFY, "--", "sh", "-c", "echo to stdout; exit 9")
    assert not any("to stdout" in line for line in lines)


def test_stopped_while_it_starts(world):
    command, tell, _ = world.actor()
    run = world.fork("-n", "web", *NOTIFY, "--", *command)
    tell.expect("up")
    world.run("stop", "web", code=0)
    assert run.wait().code != 0, run
    assert run.err.startswith("amphid: web: "), run


def test_a_daemon_killed_before_it_is_up_is_no_success(world):
    command, tell, gate = world.actor()
    run = world.fork("-n", "web", *NOTIFY, "--", *command)
    tell.expect("up")
    daemon = world.daemon("web")
    main = daemon.only_child()
    daemon.kill(signal.SIGKILL)
    run.wait(1)
    assert run.err.startswith("amphid: web: "), run
    daemon.wait()
    main.wait()  # it has heard of its daemon's end


def test_the_default_name_is_the_commands(world):
    world.fork("--", *world.holder()).wait(0)
    daemon = world.daemon("cat")
    daemon.kill()
    daemon.wait()


def test_the_starter_needs_no_standard_descriptors(world):
    """Started with 0, 1 and 2 closed: nothing of ours may land on them."""
    def close_all():
        for fd in (0, 1, 2):
            os.close(fd)
    with world.forked(preexec_fn=close_all) as daemon:
        assert [daemon.fds()[fd] for fd in (0, 1, 2)] == ["/dev/null"] * 3
        assert daemon.only_child().fds()[0] == "/dev/null"
