"""The verbs on real instances: what each does, says and exits with; the JSON form against its schema."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

from lib import LONG, WRAPPER, ms

JOURNALD = ("/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald")
NUMBER, TEXT, YES_NO = (int,), (str,), (bool,)
MAYBE_NUMBER, MAYBE_TEXT = (int, type(None)), (str, type(None))
# amphid(1), JSON: fields may be added, these stay.
JOB = {"name": TEXT, "identifier": TEXT, "state": TEXT, "result": TEXT, "mainPid": MAYBE_NUMBER, "command": (list,),
       "since": NUMBER, "statusText": MAYBE_TEXT, "exitCode": MAYBE_TEXT, "exitStatus": MAYBE_NUMBER,
       "exitTime": MAYBE_NUMBER, "restarts": NUMBER, "nextStart": MAYBE_NUMBER, "ready": YES_NO,
       "readiness": MAYBE_TEXT, "healthy": YES_NO, "health": MAYBE_TEXT, "healthReason": MAYBE_TEXT, "pids": (list,),
       "memory": MAYBE_NUMBER, "cpuUSec": MAYBE_NUMBER, "droppedLines": NUMBER}
INSTANCE = {"name": TEXT, "running": YES_NO, "pid": NUMBER, "version": TEXT, "mode": TEXT, "reason": TEXT,
            "state": TEXT, "statusText": TEXT, "since": NUMBER, "log": TEXT, "jobs": (list,)}
LINE = {"time": MAYBE_TEXT, "identifier": MAYBE_TEXT, "pid": MAYBE_NUMBER, "message": TEXT}


def check(value, schema):
    assert set(schema) <= set(value), f"missing: {set(schema) - set(value)}"
    for key, types in schema.items():
        assert type(value[key]) in types, f"{key}: {value[key]!r}"
    return value


def status(world, name="web"):
    instance = check(json.loads(world.run("status", name, "--json", code=0).out), INSTANCE)
    for job in instance["jobs"]:
        check(job, JOB)
    return instance


def job(world, name="web"):
    found, = status(world, name)["jobs"]
    return found


def say(run, *words):
    """One line on stderr that has all of @words."""
    assert len(run.err.splitlines()) == 1 and all(word in run.err for word in words), run


def until_asked(world, run):
    """@run, a verb that waits, has been heard: what starts and asks after it has been, too."""
    for _ in range(2):
        world.run("status", "web", code=0)
    run.still_waits()
    return run


@pytest.mark.everyone
@pytest.mark.parametrize("verb, code", [("status", 3), ("logs", 7), ("start", 7), ("stop", 0), ("restart", 7),
                                        ("reload", 7), ("rotate", 7), ("wait", 7), ("is-ready", 1), ("is-healthy", 1)])
def test_nobody_is_there(world, verb, code):
    run = world.run(verb, "web", code=code)
    assert "not running" in run.out + run.err and len((run.out + run.err).splitlines()) == 1


# --- restart, start

@pytest.mark.everyone
def test_restart(world):
    with world.forked() as daemon:
        before = daemon.only_child().pid
        run = world.run("restart", "web", code=0)
        world.until_held()
        assert (run.out, run.err) == ("", "") and daemon.alive()
        found = job(world)
        assert found["mainPid"] == daemon.only_child().pid != before
        assert found["state"] == "up" and found["exitTime"] and found["exitCode"] == "killed"


def test_restart_returns_when_it_is_ready(world):
    command, tell, gate = world.actor()
    start = world.fork("-n", "web", "-p", "Type=notify", "--", *command)
    tell.expect("up")
    gate.say("notify READY=1")
    start.wait(0)
    run = world.start("restart", "web")
    tell.expect("up")
    until_asked(world, run)
    assert job(world)["state"] == "starting"
    gate.say("notify READY=1")
    run.wait(0)
    assert job(world)["state"] == "up"
    world.run("stop", "web", code=0)
    world.settle()


def test_restart_that_fails(world):
    command, tell, gate = world.actor()
    start = world.fork("-n", "web", "-p", "Type=notify", "--", *command)
    tell.expect("up")
    gate.say("notify READY=1")
    start.wait(0)
    daemon = world.daemon("web")
    run = world.start("restart", "web")
    tell.expect("up")
    gate.say("exit 3")
    run.wait(1)
    say(run, "did not come up", "ended with 3 before it was up")
    assert daemon.wait() == 3


def test_start_while_the_next_start_is_waited_for(world):
    """Restart=always with an hour's delay: what is asked meanwhile, and then it is started at once."""
    command, tell, gate = world.actor()
    world.fork("-n", "web", "-p", "Restart=always", "-p", "RestartSec=1h", "--", *command).wait(0)
    tell.expect("up")
    world.run("start", "web", code=0)  # which it is
    waiting = until_asked(world, world.start("wait", "web", "--for=stopped"))
    gate.say("exit 3")
    world.until_logged("stage=restart")
    assert job(world)["state"] == "auto-restart"
    found = job(world)
    assert found["nextStart"] > found["since"] and found["mainPid"] is None and not found["ready"]
    assert (found["exitCode"], found["exitStatus"], found["result"]) == ("exited", 3, "exit-code")
    out = world.run("status", "web", code=0).out
    assert "auto-restart" in out and "status=3" in out and "the next in" in out
    run = world.run("is-ready", "web", code=1)
    assert run.out.startswith("not ready: auto-restart") and "status 3" in run.out
    say(world.run("wait", "web", "--for=ready", f"--timeout={ms(100)}", code=124), "not ready in time")
    world.run("start", "web", code=0)
    tell.expect("up")
    found = job(world)
    assert found["state"] == "up" and found["ready"] and found["nextStart"] is None and found["restarts"] >= 0
    waiting.still_waits()
    world.run("stop", "web", code=0)
    waiting.wait(0)
    world.settle()


def test_the_resident_daemon_has_nothing_to_restart(world):
    world.fork().wait(0)
    for verb in ("start", "restart"):
        say(world.run(verb, "amphid", code=1), "no unit of that name")
    world.run("is-ready", "amphid", code=0)
    world.run("is-healthy", "amphid", code=0)
    assert status(world, "amphid")["jobs"] == []
    world.run("stop", "amphid", code=0)
    world.settle()


# --- reload

def test_reload_returns_when_it_is_over(world):
    gate = world.fifo("reloading")
    with world.forked("-p", f"ExecReload=/bin/cat {gate.path}"):
        run = world.start("reload", "web")
        world.files.until_opened(gate.watch)
        run.still_waits()
        assert job(world)["state"] == "reloading"
        with open(gate.path, "w"):
            gate.close()
            world.closing.remove(gate)
        run.wait(0)
        assert job(world)["state"] == "up"


def test_reload_that_fails(world):
    with world.forked("-p", "ExecReload=/bin/false"):
        say(world.run("reload", "web", code=1), "reload failed")
        assert job(world)["state"] == "up"


# --- wait, is-ready, is-healthy

@pytest.mark.everyone
def test_wait_for_ready(world):
    ready = world.work / "ready"
    command, tell, _ = world.actor()
    start = world.fork("-n", "web", f"--ready=file:{ready}", "--", *command)
    tell.expect("up")
    waiting = until_asked(world, world.start("wait", "web", "--for=ready"))
    run = world.run("is-ready", "web", code=1)
    assert run.out.startswith("not ready: starting: ") and str(ready) in run.out and run.err == ""
    assert run.out.count("\n") == 1
    say(world.run("wait", "web", "--for=healthy", f"--timeout={ms(50)}", code=124), "not healthy in time")
    ready.touch()
    waiting.wait(0)
    start.wait(0)
    run = world.run("is-ready", "web", code=0)
    assert (run.out, run.err) == ("ready\n", "")
    assert world.run("is-healthy", "web", code=0).out == "healthy\n"
    world.run("wait", "web", "--for=ready", "--timeout=1h", code=0)
    world.run("stop", "web", code=0)
    world.settle()


def test_wait_for_what_will_never_be(world):
    command, tell, gate = world.actor()
    start = world.fork("-n", "web", "-p", "Type=notify", "--", *command)
    tell.expect("up")
    waiting = until_asked(world, world.start("wait", "web", "--for=ready"))
    gate.say("exit 5")
    waiting.wait(1)
    say(waiting, "ended", "exit-code")
    start.wait(5)
    world.settle()


def test_health(world):
    well = world.work / "well"
    with world.forked(f"--health=file:{well}", f"--health-interval={ms(50)}", "--health-retries=2",
                      "--health-action=none"):
        world.until_logged("health=unhealthy")
        found = job(world)
        assert found["health"] == "unhealthy" and found["ready"] and not found["healthy"]
        assert "No such file" in found["healthReason"]
        run = world.run("is-healthy", "web", code=1)
        assert run.out.startswith("not healthy: unhealthy: ") and "No such file" in run.out
        assert "unhealthy" in world.run("status", "web", code=0).out
        assert "unhealthy" in world.run("list", code=0).out
        world.run("is-ready", "web", code=0)
        well.touch()
        world.run("wait", "web", "--for=healthy", code=0)
        assert world.run("is-healthy", "web", code=0).out == "healthy\n"
        assert "(healthy)" in world.run("status", "web", code=0).out


# --- logs

@pytest.mark.everyone
def test_logs_of_a_file(world):
    command, tell, gate = world.actor()
    with world.forked(command=command):
        tell.expect("up")
        gate.say("many 2000")
        tell.expect("did many")
        world.until_logged("line 1999 of many")
        out = world.run("logs", "web", code=0).out
        assert [line.split("]: ")[1] for line in out.splitlines()] == [f"line {i} of many" for i in range(1990, 2000)]
        out = world.run("logs", "web", "-n", "1500", code=0).out
        assert [line.split("]: ")[1] for line in out.splitlines()] == [f"line {i} of many" for i in range(500, 2000)]
        out = world.run("logs", "web", "--lines=2", "--json", code=0).out
        lines = [check(json.loads(line), LINE) for line in out.splitlines()]
        assert [line["message"] for line in lines] == ["line 1998 of many", "line 1999 of many"]
        assert {line["identifier"] for line in lines} == {"web"}
        assert world.run("status", "web", code=0).out.endswith("]: line 1999 of many\n")
        assert world.run("logs", "web", "-n", "0", code=0).out == ""
    say(world.run("logs", "web", code=7), "not running", "web.log")  # who has chosen another file knows it


@pytest.mark.private
def test_logs_of_what_went_to_syslog(world):
    syslog = world.syslog()
    command, tell, gate = world.actor()
    with world.forked(command=command, log=False) as daemon:
        tell.expect("up")
        gate.say("out hello")
        gate.say("err oops")
        for line in ("hello", "oops"):
            syslog.until_text(line)
        out = world.run("logs", "web", code=0).out.splitlines()
        pid = daemon.only_child().pid
        assert sorted(line.split(" ", 1)[1] for line in out) == [f"web[{pid}]: hello", f"web[{pid}]: oops"]


@pytest.mark.everyone
@pytest.mark.parametrize("where", ["file", "syslog"])
def test_logs_follow(world, where):
    if where == "syslog" and world.who != "root":
        pytest.skip("once is enough")
    syslog = world.syslog() if where == "syslog" else None
    command, tell, gate = world.actor()
    with world.forked(command=command, log=not syslog) as daemon:
        tell.expect("up")
        gate.say("out before")
        tell.expect("did out")
        if syslog:
            syslog.until_text("before")
        else:
            world.until_logged("before")
        run = world.start("logs", "web", "-f", "-n", "1")
        world.pump.until(lambda: "before" in run.out, "the last line")
        for text in ("one", "two"):
            gate.say(f"out {text}")
            world.pump.until(lambda text=text: run.out.endswith(f"]: {text}\n"), text)
        world.run("restart", "web", code=0)  # which is not the end
        tell.expect("up")
        gate.say("out three")
        world.pump.until(lambda: run.out.endswith("]: three\n"), "three")
        assert not run.ended()
        daemon.kill()
        run.wait(0)
        assert len(run.out.splitlines()) == 4


def test_logs_follow_a_file_wherever_it_goes(world):
    """A hundred thousand lines, with the file renamed and begun anew on the way: none is missed, none comes twice."""
    command, tell, gate = world.actor()
    with world.forked(command=command) as daemon:
        tell.expect("up")
        gate.say("out begin")
        world.until_logged("begin")
        run = world.start("logs", "web", "-f", "-n", "1")
        world.pump.until(lambda: "begin" in run.out, "the last line")
        for number in range(5):
            gate.say("many 20000")
            tell.expect("did many")
            world.pump.until(lambda: run.out.count("line 19999 of many") == number + 1, "all lines")  # noqa: B023
            world.log.rename(world.work / f"log.{number}")
            world.run("rotate", "web", code=0)
        gate.say("part end")
        tell.expect("did part")
        gate.say("exit 0")
        assert daemon.wait() == 0
    run.wait(0)
    lines = [line.split("]: ", 1)[1] for line in run.out.splitlines()]
    assert run.err == "" and lines[-1] == "end"
    seen = [line for line in lines[:-1] if line != "begin"]
    assert seen == [f"line {i} of many" for i in range(20000)] * 5


@pytest.mark.root
@pytest.mark.private
@pytest.mark.no_wrapper
def test_logs_of_the_journal(world):
    """With a journald of our own: what no line of has passed through the daemon is found all the same."""
    journald = next((path for path in JOURNALD if os.access(path, os.X_OK)), None)
    if not journald:
        pytest.skip("needs systemd-journald")
    notify = world.notify_socket()
    server = world.start(argv=[journald])
    notify.until_has("READY", "1")
    del world.env["NOTIFY_SOCKET"]
    world.closing.remove(notify)  # the rest of what it says is not for us: it stores descriptors
    notify.close()
    command, tell, gate = world.actor()
    command = ["sh", "-c", 'echo shell; /bin/echo child; exec "$@"', "sh", *command]
    with world.forked(command=command, log=False) as daemon:
        tell.expect("up")
        assert status(world)["log"] == "journal"
        gate.say("out hello")
        tell.expect("did out")
        lines = [check(json.loads(line), LINE) for line in world.run("logs", "web", "--json", code=0).out.splitlines()]
        assert [line["message"] for line in lines] == ["shell", "child", "hello"]
        pid = daemon.only_child().pid
        assert lines[0]["pid"] == lines[2]["pid"] == pid != lines[1]["pid"] and lines[0]["identifier"] == "web"
        assert world.run("status", "web", code=0).out.endswith(f" web[{pid}]: hello\n")
        following = world.start("logs", "web", "-f", "-n", "1")
        world.pump.until(lambda: following.out.endswith("]: hello\n"), "the last line")
        gate.say("err more")
        world.pump.until(lambda: following.out.endswith("]: more\n"), "one more")
    following.wait(0)
    out = world.run("logs", "web", "-n", "2", code=0).out  # it is not there any more; the journal is
    assert [line.split("]: ")[1] for line in out.splitlines()] == ["hello", "more"]
    world.run("logs", "nobody", code=7)
    server.kill()
    server.wait()


def test_logs_of_the_terminal(world):
    run = world.start("-n", "web", "--", *world.holder())
    world.until_held()
    said = world.run("logs", "web", code=1)
    say(said, "pipe:")
    run.kill()
    run.wait(0)


def test_rotate(world):
    command, tell, gate = world.actor()
    with world.forked(command=command):
        tell.expect("up")
        gate.say("out first")
        world.until_logged("first")
        world.log.rename(world.log.with_suffix(".old"))
        run = world.run("rotate", "web", code=0)
        assert (run.out, run.err) == ("", "")
        gate.say("out second")
        world.until_logged("]: second")
        assert "]: first" not in world.log.read_text()


@pytest.mark.private
def test_nothing_to_rotate(world):
    world.syslog()
    with world.forked(log=False):
        say(world.run("rotate", "web", code=1), "no file")


# --- who may

@pytest.mark.root
@pytest.mark.private
def test_others_only_look(world):
    import sandbox
    user = {"user": sandbox.UID, "group": sandbox.UID, "extra_groups": []}
    with world.forked() as daemon:
        for verb in ("logs", "start", "restart", "reload", "rotate", "stop"):
            run = world.run(verb, "web", code=4, **user)
            say(run, "only root")
        for args in (("is-ready", "web"), ("is-healthy", "web"), ("wait", "web", "--for=ready"), ("list",)):
            world.run(*args, code=0, **user)
        out = world.run("status", "web", code=0, **user).out
        assert "Main PID" in out and "]: " not in out
        assert daemon.alive()


# --- status

@pytest.mark.everyone
def test_status_reads_like_systemctl(world):
    command, tell, gate = world.actor()
    with world.forked("-p", "Type=exec", command=["sh", "-c", 'sleep 1000 & exec "$@"', "sh", *command]) as daemon:
        tell.expect("up")
        gate.say("out hello")
        world.until_logged("hello")
        main = daemon.only_child()
        out = world.run("status", "web", code=0).out
        head = out.splitlines()[0]
        assert head.startswith("● web - up since ") and head.endswith(" ago")
        fields = dict(line.strip().split(": ", 1) for line in out.split("\n\n")[0].splitlines()[1:] if ": " in line)
        assert fields["Main PID"] == f"{main.pid} (python3)" and fields["Ready"] == "yes"
        assert fields["Processes"] == "2" and fields["Log"] == f"file:{world.log}"
        assert fields["Mode"].startswith("fork (") and fields["Daemon"].startswith(f"{daemon.pid} (amphid ")
        sleep, = main.children()
        lines = out.splitlines()
        indents = {pid: next(len(line) - len(line.lstrip()) for line in lines if line.split()[:1] == [str(pid)])
                   for pid in (main.pid, sleep)}
        assert indents[sleep] == indents[main.pid] + 2, "a child is shown below its parent"
        assert lines[-1].endswith(f"web[{main.pid}]: hello")
        found = job(world)
        assert found["pids"] == [main.pid, sleep] and found["restarts"] == 0 and found["health"] is None
        assert found["memory"] is None or found["memory"] > 0


def test_json_of_one_that_has_restarted(world):
    command, tell, gate = world.actor()
    world.fork("-n", "web", "-p", "Restart=always", "-p", "RestartSec=0", "--", *command).wait(0)
    tell.expect("up")
    gate.say("kill KILL")
    tell.expect("up")
    world.run("wait", "web", "--for=ready", code=0)
    found = job(world)
    assert found["restarts"] == 1 and found["exitCode"] == "killed" and found["exitStatus"] == signal.SIGKILL
    out = world.run("status", "web", code=0).out
    assert "Restarts: 1" in out and "Last exit: killed, signal=SIGKILL" in out
    header, line = world.run("list", code=0).out.splitlines()
    row = dict(zip(header.split(), line.split()))
    assert (row["NAME"], row["STATE"], row["HEALTH"], row["RESTARTS"]) == ("web", "up", "-", "1")
    world.run("stop", "web", code=0)
    world.settle()


@pytest.mark.no_wrapper
def test_no_library_where_none_is_needed(world):
    """stop, restart, is-ready and their like open no library on either side."""
    with world.forked() as daemon:
        for verb in ("restart", "reload", "start", "is-ready", "is-healthy"):
            if verb == "reload":
                continue  # it ends the holder
            world.run(verb, "web", code=0)
        assert "jansson" not in daemon.read("maps")
        world.run("status", "web", code=0)
        assert "jansson" in daemon.read("maps"), "and this is where it would be seen"
    traced = subprocess.run(["ldd", world.run("--version").argv[0]], capture_output=True, text=True, check=False)
    assert "jansson" not in traced.stdout


@pytest.mark.everyone
def test_stop_is_the_end_of_the_process(world):
    """Ten times: stop returns, and the name is free at once."""
    for _ in range(10):
        world.fork("-n", "web", "--", *world.holder()).wait(0)
        daemon = world.daemon("web")
        world.run("stop", "web", code=0)
        assert WRAPPER or daemon.wait() == 0
    world.settle(LONG)
