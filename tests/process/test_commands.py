"""ExecStartPre=, ExecStartPost=, ExecReload=, ExecStop=, ExecStopPost=: the commands around the main process."""
import json
import signal
import time

import pytest

from lib import FACTOR, Process, ms


class Diary:
    """A file that the commands write to: who ran, and with what."""

    def __init__(self, world):
        self.world, self.path = world, world.work / "diary"

    def note(self, text):
        """A command that writes @text; its "$" are sh's."""
        escaped = text.replace("$", "$$")
        return f"sh -c 'echo {escaped} >> {self.path}'"

    def lines(self):
        return self.path.read_text().splitlines() if self.path.exists() else []

    def until(self, line):
        self.world.files.until(self.path, lambda text: line in text.splitlines(), repr(line))


@pytest.fixture
def diary(world):
    return Diary(world)


def directives(**lists):
    """-p options: ExecStartPre=["a", "b"] and so on."""
    return [word for key, values in lists.items()
            for value in ([values] if isinstance(values, str) else values) for word in ("-p", f"{key}={value}")]


def job(world):
    found, = json.loads(world.run("status", "web", "--json").out)["jobs"]
    return found


def foreground(world, *args, command=None, **kw):
    return world.start(f"--log=file:{world.log}", "-n", "web", *args, "--", *(command or world.holder()), **kw)


# --- the order of a life

@pytest.mark.everyone
def test_all_in_order(world, diary):
    main = ["sh", "-c", f"echo main >> {diary.path}; exec cat {world.holder()[1]}"]
    lists = directives(ExecStartPre=[diary.note("pre 1"), diary.note("pre 2")], ExecStartPost=diary.note("post"),
                       ExecReload=diary.note("reload"), ExecStop=diary.note("stop"),
                       ExecStopPost=[diary.note("stop-post 1"), diary.note("stop-post 2")])
    world.fork("-n", "web", "-p", "Type=exec", *lists, "--", *main).wait(0)
    world.until_held()
    assert [line for line in diary.lines() if line != "main"] == ["pre 1", "pre 2", "post"]
    assert diary.lines().index("main") > 1
    world.run("reload", "web", code=0)
    world.run("stop", "web", code=0)
    assert diary.lines()[-4:] == ["reload", "stop", "stop-post 1", "stop-post 2"]
    world.settle()


@pytest.mark.everyone
def test_main_pid(world, diary):
    """$MAINPID of the main process in what runs beside it; none before it is started."""
    note = diary.note
    lists = directives(ExecStartPre=note("pre ${MAINPID:-none}"), ExecStartPost=note("post $MAINPID"),
                       ExecReload=note("reload $MAINPID"), ExecStop=note("stop $MAINPID"),
                       ExecStopPost=note("stop-post ${MAINPID:-none}"))
    with world.forked(*lists) as daemon:
        pid = daemon.only_child().pid
        world.run("reload", "web", code=0)
    assert diary.lines() == ["pre none", f"post {pid}", f"reload {pid}", f"stop {pid}", "stop-post none"]


def test_main_pid_as_a_word(world, diary):
    """systemd.service(5): $MAINPID is replaced without a shell. This is nginx's and many others' ExecReload=."""
    command, tell, gate = world.actor("HUP")
    world.fork("-n", "web", *directives(ExecReload="/bin/kill -HUP $MAINPID"), "--", *command).wait(0)
    tell.expect("up")
    world.run("reload", "web", code=0)
    tell.expect("got HUP")
    world.run("stop", "web", code=0)
    world.settle()


# --- before

def test_a_pre_command_that_fails_stops_the_start(world, diary):
    lists = directives(ExecStartPre=[diary.note("one"), "sh -c 'echo no luck >&2; exit 5'", diary.note("two")],
                       ExecStartPost=diary.note("post"), ExecStop=diary.note("stop"),
                       ExecStopPost=diary.note("stop-post"))
    starter = world.fork("-n", "web", *lists, "--", "sh", "-c", f"echo main >> {diary.path}").wait()
    assert starter.code != 0 and starter.err.startswith("amphid: web: "), starter
    assert "no luck" in starter.err
    world.settle()
    assert diary.lines() == ["one", "stop-post"], "systemd.service(5): ExecStopPost= runs even then, ExecStop= does not"
    assert "ExecStartPre=" in world.log.read_text()


def test_a_pre_command_that_may_fail(world, diary):
    lists = directives(ExecStartPre=["-false", "-/no/such/program", diary.note("on")])
    with world.forked(*lists):
        assert diary.lines() == ["on"]


@pytest.mark.no_wrapper
def test_a_pre_command_that_is_not_there(world):
    starter = world.fork("-n", "web", *directives(ExecStartPre="/no/such/program"), "--", "true").wait()
    assert starter.code != 0
    world.until_logged("/no/such/program")
    world.settle()


def test_timeout_of_a_pre_command(world):
    """TimeoutStartSec= is for it, too."""
    hold = world.fifo("pre")
    starter = world.fork("-n", "web", *directives(ExecStartPre=f"cat {hold.path}"), "-p", f"TimeoutStartSec={ms(150)}",
                         "--", *world.holder()).wait()
    assert starter.code != 0 and "TimeoutStartSec" in starter.err, starter
    world.settle()
    assert "result=timeout" in world.log.read_text()


def test_the_starter_waits_for_pre_and_post(world):
    pre, post = world.fifo("pre"), world.fifo("post")
    starter = world.fork("-n", "web", *directives(ExecStartPre=f"sh -c 'read -r x < {pre.path}'",
                                                  ExecStartPost=f"sh -c 'read -r x < {post.path}'"),
                         "--", *world.holder())
    starter.still_waits()
    assert job(world)["state"] == "start-pre" and job(world)["mainPid"] is None
    pre.say("on")
    world.until_held()
    starter.still_waits()
    assert job(world)["state"] == "start-post"
    post.say("on")
    starter.wait(0)
    world.run("stop", "web", code=0)
    world.settle()


def test_a_post_command_that_fails_ends_the_service(world, diary):
    lists = directives(ExecStartPost="false", ExecStop=diary.note("stop"), ExecStopPost=diary.note("stop-post"))
    starter = world.fork("-n", "web", *lists, "--", *world.holder()).wait()
    assert starter.code != 0
    world.settle()
    assert diary.lines() == ["stop-post"], "systemd.service(5), ExecStop=: not if ExecStartPost= failed"


def test_stop_while_a_pre_command_runs(world):
    hold = world.fifo("pre")
    starter = world.fork("-n", "web", *directives(ExecStartPre=f"cat {hold.path}"), "--", *world.holder())
    world.files.until_opened(hold.watch)
    world.run("stop", "web", code=0)
    assert starter.wait().code != 0
    world.settle()


# --- the end

@pytest.mark.parametrize("end, words", [("exit 0", "success exited 0"), ("exit 7", "exit-code exited 7"),
                                        ("kill KILL", "signal killed KILL"), ("kill TERM", "success killed TERM")])
def test_what_stop_post_is_told(world, diary, end, words):
    """systemd.exec(5): $SERVICE_RESULT, $EXIT_CODE, $EXIT_STATUS."""
    command, tell, gate = world.actor()
    r = foreground(world, *directives(ExecStopPost=diary.note("$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS")),
                   command=command)
    tell.expect("up")
    gate.say(end)
    r.wait()
    assert diary.lines() == [words]


def test_what_stop_post_is_told_of_a_timeout(world, diary):
    r = foreground(world, "-p", "Type=notify", "-p", f"TimeoutStartSec={ms(100)}",
                   *directives(ExecStopPost=diary.note("$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS")))
    r.wait(1)
    assert diary.lines() == ["timeout killed TERM"]


def test_stop_is_before_the_signal(world, diary):
    """It can ask the program to end; then no signal is needed."""
    command, tell, gate = world.actor("TERM")
    ask = f"sh -c 'echo exit 0 > {gate.path}; while kill -0 $$MAINPID 2>/dev/null; do :; done'"
    r = foreground(world, *directives(ExecStop=ask), command=command)
    tell.expect("up")
    r.kill()
    r.wait(0)
    assert "got TERM" not in tell.lines()


def test_stop_runs_when_the_program_ends_by_itself(world, diary):
    """systemd.service(5): ExecStop= also runs "when the service exits on its own accord"."""
    command, tell, gate = world.actor()
    r = foreground(world, *directives(ExecStop=diary.note("stop")), command=command)
    tell.expect("up")
    gate.say("exit 3")
    r.wait(3)
    assert diary.lines() == ["stop"]


def test_stop_does_not_run_if_it_never_was_up(world, diary):
    """systemd.service(5): "only executed when the service started successfully first"; then ExecStopPost= is."""
    lists = directives(ExecStop=diary.note("stop"), ExecStopPost=diary.note("post"))
    r = foreground(world, "-p", "Type=notify", *lists,
                   command=["sh", "-c", "exit 3"])
    r.wait(3)
    assert diary.lines() == ["post"]


def test_a_stop_command_that_fails_or_hangs(world):
    hold = world.fifo("stop")
    r = foreground(world, *directives(ExecStop=["-false", f"cat {hold.path}"]), "-p", f"TimeoutStopSec={ms(150)}")
    world.until_held()
    begin = time.monotonic()
    r.kill()
    r.wait()
    assert 0.15 * FACTOR <= time.monotonic() - begin < 3 * FACTOR
    assert "stage=command" in world.log.read_text()


def test_timeout_stop_then_the_kill(world):
    command, tell, gate = world.actor("TERM")
    r = foreground(world, "-p", f"TimeoutStopSec={ms(150)}", command=command)
    tell.expect("up")
    main = Process(world.pump, job(world)["mainPid"])
    begin = time.monotonic()
    r.kill()
    tell.expect("got TERM")
    r.wait()
    assert time.monotonic() - begin >= 0.15 * FACTOR and main.gone
    log = world.log.read_text()
    assert "it did not stop in time" in log and "SIGKILL" in log


def test_a_stop_post_command_that_hangs(world):
    hold = world.fifo("post")
    r = foreground(world, *directives(ExecStopPost=f"cat {hold.path}"), "-p", f"TimeoutStopSec={ms(150)}")
    world.until_held()
    r.kill()
    r.wait()
    assert "result=timeout" in world.log.read_text()


def test_all_lists_run_in_each_life(world, diary):
    lists = directives(ExecStartPre=diary.note("pre"), ExecStopPost=diary.note("post"))
    r = foreground(world, *lists, "--restart=on-failure", "-p", "RestartSec=0", "-p", "StartLimitBurst=2",
                   command=["sh", "-c", "exit 7"])
    r.wait(7)
    assert diary.lines() == ["pre", "post"] * 2


# --- reload

@pytest.mark.everyone
@pytest.mark.parametrize("name", ["HUP", "USR2"])
def test_reload_signal(world, name):
    command, tell, gate = world.actor("HUP", "USR2")
    world.fork("-n", "web", f"--reload-signal=SIG{name}", "--", *command).wait(0)
    tell.expect("up")
    world.run("reload", "web", code=0)
    tell.expect("got " + name)
    assert job(world)["state"] == "up"
    world.run("stop", "web", code=0)
    world.settle()


def test_reload_waits_for_its_command(world):
    gate = world.fifo("gate")
    with world.forked(*directives(ExecReload=f"sh -c 'read -r x < {gate.path}'")):
        reload = world.start("reload", "web")
        reload.still_waits()
        assert job(world)["state"] == "reloading"
        gate.say("on")
        reload.wait(0)
        assert job(world)["state"] == "up"


def test_a_reload_that_fails_is_told_and_harmless(world):
    with world.forked(*directives(ExecReload="sh -c 'exit 4'")) as daemon:
        main = daemon.only_child()
        run = world.run("reload", "web")
        assert run.code != 0 and run.err.startswith("amphid: "), run
        assert main.alive() and job(world)["state"] == "up"
        assert "ExecReload=" in world.log.read_text()


@pytest.mark.everyone
def test_notify_reload_waits_for_ready(world):
    """systemd.service(5), Type=notify-reload: RELOADING=1 with the clock, then READY=1."""
    command, tell, gate = world.actor("HUP")
    starter = world.fork("-n", "web", "-p", "Type=notify-reload", "--", *command)
    tell.expect("up")
    gate.say("notify READY=1")
    starter.wait(0)
    tell.expect("did notify")
    reload = world.start("reload", "web")
    tell.expect("got HUP")
    reload.still_waits()
    gate.say(f"notify RELOADING=1|MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
    tell.expect("did notify")
    reload.still_waits()
    assert job(world)["state"] == "reloading"
    gate.say("notify READY=1")
    reload.wait(0)
    assert job(world)["state"] == "up"
    world.run("stop", "web", code=0)
    world.settle()


def test_reload_while_starting(world):
    """It is an error that says so, and does not disturb the start."""
    command, tell, gate = world.actor("HUP")
    starter = world.fork("-n", "web", "-p", "Type=notify", *directives(ExecReload="/bin/kill -HUP $MAINPID"),
                         "--", *command)
    tell.expect("up")
    run = world.run("reload", "web")
    assert run.code != 0 and "start" in run.err, run
    starter.still_waits()
    assert "got HUP" not in tell.lines()
    gate.say("notify READY=1")
    starter.wait(0)
    world.run("reload", "web", code=0)
    tell.expect("got HUP")
    world.run("stop", "web", code=0)
    world.settle()


def test_a_reload_in_which_the_program_ends(world):
    command, tell, gate = world.actor("HUP")
    starter = world.fork("-n", "web", "-p", "Type=notify-reload", "--", *command)
    tell.expect("up")
    gate.say("notify READY=1")
    starter.wait(0)
    reload = world.start("reload", "web")
    tell.expect("got HUP")
    gate.say("exit 6")
    assert reload.wait().code != 0
    world.settle()


def test_a_manager_hears_of_a_reload(world):
    manager = world.notify_socket()
    gate = world.fifo("gate")
    run = world.start_with_own_pid("-n", "web", f"--log=file:{world.log}",
                                   *directives(ExecReload=f"sh -c 'read -r x < {gate.path}'"), "--", *world.holder())
    manager.until_has("READY", "1")
    manager.forget()
    run.kill(signal.SIGHUP)
    manager.until_has("RELOADING", "1")
    assert not manager.has("READY")
    gate.say("on")
    manager.until_has("READY", "1")
    run.kill()
    run.wait(0)
