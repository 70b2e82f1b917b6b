"""Every stage is logged, once, in order, with its identity; no line of the command's output is lost."""
import datetime
import os
import pathlib
import pty
import re
import signal

import pytest

FORK_STAGES = ["detect", "start", "fork-1", "setsid", "fork-2", "detached", "pidfile", "privileges", "exec", "ready"]
END_STAGES = ["stopping", "child-exit", "stopped"]
IDENTITY = ("PPID", "PID", "PGID", "SID", "TTY")
ALL = FORK_STAGES + END_STAGES
FOREGROUND = [stage for stage in ALL if stage not in ("fork-1", "setsid", "fork-2", "detached")]
FILE_LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d) amphid\[(\d+)\]: name=(\S+) stage=(\S+) "
                       r"ppid=(\d+) pid=(\d+) pgid=(\d+) sid=(\d+) tty=(\S+) (\S.*)$")


def own(stages):
    """privileges is a stage only where some are dropped."""
    return [stage for stage in stages if stage != "privileges"]


def check_identities(by_stage, daemon_pid):
    """The article's experiment: what each step changes. @by_stage: stage → dict of ppid, pid, pgid, sid, tty."""
    one, two, end = by_stage["fork-1"], by_stage["setsid"], by_stage["fork-2"]
    assert int(by_stage["start"]["pid"]) != int(one["pid"]) and one["sid"] == by_stage["start"]["sid"]
    assert one["pid"] == two["pid"] == two["pgid"] == two["sid"] and two["tty"] == "-"
    assert end["pid"] != end["pgid"] == end["sid"] == two["sid"]
    assert int(by_stage["ready"]["pid"]) == daemon_pid == int(end["pid"])
    assert int(by_stage["ready"]["ppid"]) == os.getpid()
    assert all(record["tty"] == "-" for stage, record in by_stage.items() if stage in FORK_STAGES[4:])


# --- the stages, in every place a log can be

@pytest.mark.everyone
def test_stages_in_a_file(world):
    with world.forked() as daemon:
        pass
    lines = world.log.read_text().splitlines()
    matches = [FILE_LINE.match(line) for line in lines]
    assert all(matches), [line for line, match in zip(lines, matches) if not match]
    assert own([m[4] for m in matches]) == own(ALL)
    assert all(m[2] == m[6] and m[3] == "web" for m in matches)
    datetime.datetime.fromisoformat(matches[0][1])
    keys = ("ppid", "pid", "pgid", "sid", "tty")
    check_identities({m[4]: dict(zip(keys, m.groups()[4:9])) for m in matches}, daemon.pid)


def test_privileges_are_a_stage_where_they_are_dropped(world):
    with world.forked("-p", "UMask=027", "-p", f"User={os.getuid()}"):
        pass
    assert world.log_stages() == ALL


@pytest.mark.private
def test_stages_in_syslog(world):
    syslog = world.syslog()
    with world.forked("--log=syslog", log=False) as daemon:
        pass
    syslog.until_text("stage=stopped")
    pattern = re.compile(r"<(\d+)>(?:\w{3} [ \d]\d \d\d:\d\d:\d\d )amphid\[(\d+)\]: name=web stage=(\S+) ppid=(\d+) "
                         r"pid=(\d+) pgid=(\d+) sid=(\d+) tty=(\S+) (.+)$", re.DOTALL)
    matches = [pattern.match(text) for text in syslog.all()]
    assert all(matches), syslog.all()
    assert own([m[3] for m in matches]) == own(ALL)
    assert all(int(m[1]) >> 3 == 3 for m in matches), "facility daemon"
    assert {int(m[1]) & 7 for m in matches} <= {5, 6, 7}
    keys = ("ppid", "pid", "pgid", "sid", "tty")
    check_identities({m[3]: dict(zip(keys, m.groups()[3:8])) for m in matches}, daemon.pid)


@pytest.mark.private
def test_stages_in_the_journal(world):
    journal = world.journal()
    with world.forked(log=False) as daemon:
        pass
    journal.until_stage("stopped")
    records = journal.stages()
    assert own([r["AMPHID_STAGE"] for r in records]) == own(ALL)
    for r in records:
        assert r["AMPHID_NAME"] == "web" and r["SYSLOG_IDENTIFIER"] == "amphid" and r["SYSLOG_FACILITY"] == "3"
        assert r["MESSAGE"] and re.fullmatch("[0-9a-f]{32}", r["MESSAGE_ID"]) and r["PRIORITY"] in "567"
        assert r["SYSLOG_PID"] == r["AMPHID_PID"]
    assert len({r["MESSAGE_ID"] for r in records}) == len(records), "one MESSAGE_ID a stage"
    by_stage = {r["AMPHID_STAGE"]: {k.lower(): r["AMPHID_" + k] for k in IDENTITY} for r in records}
    check_identities(by_stage, daemon.pid)
    stage = {r["AMPHID_STAGE"]: r for r in records}
    assert stage["detect"]["AMPHID_MODE"] == "fork" and stage["detect"]["AMPHID_REASON"]
    assert int(stage["exec"]["AMPHID_MAIN_PID"]) == int(stage["child-exit"]["AMPHID_MAIN_PID"]) != daemon.pid
    assert stage["child-exit"]["AMPHID_EXIT_CODE"] == "killed"
    assert stage["child-exit"]["AMPHID_EXIT_STATUS"] in ("15", "TERM")
    assert stage["stopped"]["AMPHID_RESULT"] == "success"


def test_stages_in_json(world):
    run = world.start("--log=json", "-n", "web", "--", *world.holder())
    world.pump.until(lambda: '"ready"' in run.err + run.out, "ready")
    run.kill()
    run.wait(0)
    records = world.records(run.err or run.out)
    assert own([r["stage"] for r in records if "stage" in r]) == own(FOREGROUND)
    for r in records:
        assert {"time", "priority", "name", "stage", "message", "message_id", *map(str.lower, IDENTITY)} <= set(r)
        assert r["name"] == "web" and r["pid"] == run.pid
        datetime.datetime.fromisoformat(r["time"])
    assert records[0]["mode"] == "foreground" and records[0]["reason"]


def test_stages_on_stderr(world):
    run = world.start("--log=stderr", "-n", "web", "--", *world.holder())
    world.pump.until(lambda: "ready" in run.err, "ready")
    run.kill()
    run.wait(0)
    assert "\x1b" not in run.err and run.out == ""
    places = [run.err.find(stage) for stage in ("detect", "exec", "ready", "stopping", "child-exit", "stopped")]
    assert -1 not in places and places == sorted(places), run.err


def test_who_asked_for_the_stop_stands_before_what_follows_from_it(world):
    """Though the signal is sent before the record is written."""
    hold = " ".join(world.holder())
    world.fork("-n", "web", "--", "sh", "-c", f'trap "echo farewell; exit 0" TERM; {hold} & echo up; wait').wait(0)
    world.until_logged("]: up")
    world.run("stop", "web", code=0)
    lines = world.log.read_text().splitlines()
    ends = [next(i for i, line in enumerate(lines) if text in line)
            for text in ("]: up", "asked on the control socket", "]: farewell", "stage=child-exit", "stage=stopped")]
    assert ends == sorted(ends) and ends[-1] == len(lines) - 1, lines


@pytest.mark.parametrize("how, result, extra", [
    ("exit 3", "exit-code", {"AMPHID_EXIT_CODE": "exited", "AMPHID_EXIT_STATUS": "3"}),
    ("kill SEGV", ("signal", "core-dump"), {}),
])
@pytest.mark.private
def test_a_failure_is_logged_with_its_result(world, how, result, extra):
    journal = world.journal()
    command, tell, gate = world.actor()
    world.fork("-n", "web", "--", *command, log=False).wait(0)
    tell.expect("up")
    daemon = world.daemon("web")
    gate.say(how)
    daemon.wait()
    failed = journal.until_stage("failed")
    assert failed["AMPHID_RESULT"] in result and int(failed["PRIORITY"]) <= 4
    gone = journal.until_stage("child-exit")
    assert extra.items() <= gone.items()


@pytest.mark.no_wrapper
@pytest.mark.private
def test_errno_of_a_failed_exec_is_logged(world):
    journal = world.journal()
    world.fork("-n", "web", "--", "/no/such/program", log=False).wait(203)
    assert journal.until_stage("failed")["ERRNO"] == "2"


def test_reload_is_a_stage(world):
    command, tell, _ = world.actor("HUP")
    with world.forked(command=command) as daemon:
        tell.expect("up")
        daemon.kill(signal.SIGHUP)
        tell.expect("got HUP")
        world.until_logged("stage=reload")


# --- where `auto` goes

def captured(world, *args, **kw):
    with world.forked(*args, log=False, **kw):
        pass


@pytest.mark.private
def test_auto_prefers_the_journal(world):
    journal, syslog = world.journal(), world.syslog()
    captured(world)
    journal.until_stage("stopped")
    assert not syslog.all()


@pytest.mark.private
def test_auto_takes_syslog_when_no_journal_answers(world):
    """A socket file that nobody listens on is no journal: sd_journal_send() would return 0 for it."""
    world.journal().close()
    world.closing.pop()
    syslog = world.syslog()
    captured(world)
    syslog.until_text("stage=stopped")


@pytest.mark.everyone
def test_auto_takes_a_file_when_nothing_else_is_there(world):
    run = world.fork("-n", "web", "--", *world.holder(), log=False).wait(0)
    path = {"root": "/var/log/amphid/web.log"}.get(world.who, f"{world.env['HOME']}/.local/state/amphid/web.log")
    assert path in run.err, "it is named to the user"
    daemon = world.daemon("web")
    daemon.kill()
    daemon.wait()
    assert own(world.log_stages(path)) == own(ALL)
    assert os.stat(path).st_mode & 0o022 == 0


@pytest.mark.user
def test_the_state_home_of_a_user(world):
    state = world.mkdir("state")
    captured(world, env={"XDG_STATE_HOME": str(state)})
    assert own(world.log_stages(state / "amphid" / "web.log")) == own(ALL)


def test_json_with_fork_goes_to_the_fallback_file(world):
    home = world.env["HOME"]
    captured(world, "--log=json")
    path = "/var/log/amphid/web.json" if world.who == "root" else f"{home}/.local/state/amphid/web.json"
    assert own([r["stage"] for r in world.records(pathlib.Path(path))]) == own(ALL)


def test_a_log_file_is_appended_to(world):
    for _ in range(2):
        with world.forked():
            pass
    assert own(world.log_stages()) == own(ALL) * 2


def test_a_log_file_that_cannot_be_opened(world):
    run = world.run("--fork", "--log=file:/no/such/directory/log", "-n", "web", "--", "true")
    assert run.code not in (0, 2) and "/no/such/directory/log" in run.err
    assert len(run.err.splitlines()) == 1


# --- on a terminal

def on_terminal(world, *args, env=(), code=0, kill=None):
    """What amphid writes on a terminal; stdin, stdout and stderr are it."""
    master, slave = pty.openpty()
    text = []

    def read():
        try:
            text.append(os.read(master, 65536).decode())
        except OSError:
            world.pump.remove(master)

    world.pump.add(master, read)
    run = world.start(*args, env={"TERM": "xterm", **dict(env)}, stdin=slave, preexec_fn=lambda: [os.dup2(slave, fd)
                      for fd in (1, 2)])
    os.close(slave)
    if kill:
        world.pump.until(lambda: kill in "".join(text), kill)
        run.kill()
    run.wait(code)
    world.pump.turn(0)
    world.pump.remove(master)
    os.close(master)
    return "".join(text)


def test_colours_on_a_terminal(world):
    text = on_terminal(world, "--log=stderr", "-n", "web", "--", *world.holder(), kill="ready")
    assert "\x1b[" in text


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_they_are_not_wanted(world, env):
    text = on_terminal(world, "--log=stderr", "-n", "web", "--", *world.holder(), env=env, kill="ready")
    assert "\x1b" not in text


@pytest.mark.everyone
def test_trace_is_a_table(world):
    run = world.fork("--trace", "-n", "web", "--", *world.holder()).wait(0)
    daemon = world.daemon("web")
    rows = [line.split(None, 6) for line in run.err.splitlines()]
    assert rows[0] == ["STAGE", *IDENTITY, "MESSAGE"]
    assert own([row[0] for row in rows[1:]]) == own(FORK_STAGES)
    by_stage = {row[0]: dict(zip(("ppid", "pid", "pgid", "sid", "tty"), row[1:6])) for row in rows[1:]}
    check_identities(by_stage, daemon.pid)
    assert "\x1b" not in run.err
    daemon.kill()
    daemon.wait()


@pytest.mark.no_wrapper
def test_trace_of_a_failure(world):
    run = world.fork("--trace", "-n", "web", "--", "/no/such/program").wait(203)
    assert "failed" in [line.split()[0] for line in run.err.splitlines() if line]
    assert [line for line in run.err.splitlines() if line.startswith("amphid: web: ")]


# --- what the command writes

def output_of(world, name="web"):
    pattern = re.compile(rf"^\S+ {name}\[(\d+)\]: (.*)$")
    return [m[2] for m in map(pattern.match, world.log.read_text().splitlines()) if m]


def test_whole_lines(world):
    command, tell, gate = world.actor()
    with world.forked(command=command):
        tell.expect("up")
        for order in ("part first, ", "err from stderr", "part second, ", "out third", "part and the end"):
            gate.say(order)
            tell.expect("did " + order.split()[0])
    assert sorted(output_of(world)) == sorted(["from stderr", "first, second, third", "and the end"])


def test_the_identifier_and_pid_of_a_line(world):
    command, tell, gate = world.actor()
    with world.forked("-p", "SyslogIdentifier=shop", command=command) as daemon:
        tell.expect("up")
        child = daemon.only_child()
        gate.say("out hello")
        world.until_logged(f" shop[{child.pid}]: hello\n")


def test_nothing_is_lost_at_exit(world):
    command, tell, gate = world.actor()
    world.fork("-n", "web", "--", *command).wait(0)
    tell.expect("up")
    daemon = world.daemon("web")
    gate.say("many 100000")
    tell.expect("did many")
    gate.say("exit 0")
    assert daemon.wait() == 0
    assert output_of(world) == [f"line {i} of many" for i in range(100000)]


def test_a_line_without_end(world):
    """A megabyte without a newline: it may be cut, nothing may be lost, and memory is not the place for it."""
    world.fork("-n", "web", "-p", "Type=oneshot", "--", "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x").wait(0)
    world.settle()
    assert sum(len(line.removesuffix(" [...]")) for line in output_of(world, "web")) == 1000000


def test_odd_bytes_stay_one_line_each(world):
    """A command cannot forge a record: only its newlines start a new line, and each has its name before it."""
    world.fork("-n", "web", "-p", "Type=oneshot", "--", "printf", "a\\rb\\033[31mc\\000d\\n\\377\\n").wait(0)
    world.settle()
    lines = world.log.read_bytes().rstrip(b"\n").split(b"\n")
    assert sum(b" web[" in line for line in lines) == 2
    assert all(b" web[" in line or b" amphid[" in line for line in lines)


def test_output_in_json(world):
    command, tell, gate = world.actor()
    with world.forked("--log=json", log=False, command=command, env={"XDG_STATE_HOME": str(world.work)}) as daemon:
        tell.expect("up")
        child = daemon.only_child()
        for order in ('out say "hi" \\ there', "err trouble"):
            gate.say(order)
            tell.expect("did " + order.split()[0])
    path = pathlib.Path("/var/log/amphid/web.json" if world.who == "root" else world.work / "amphid" / "web.json")
    lines = {r["stream"]: r for r in world.records(path) if "stream" in r}
    assert lines["stdout"]["message"] == 'say "hi" \\ there' and lines["stderr"]["message"] == "trouble"
    assert all(r["identifier"] == "web" and r["pid"] == child.pid and r["name"] == "web" for r in lines.values())


@pytest.mark.private
def test_output_in_syslog(world):
    syslog = world.syslog()
    command, tell, gate = world.actor()
    with world.forked(log=False, command=command) as daemon:
        tell.expect("up")
        gate.say("out good morning")
        text = syslog.until_text("good morning")
        assert re.fullmatch(rf"<30>.* web\[{daemon.only_child().pid}\]: good morning\n?", text), text


@pytest.mark.private
def test_where_journald_runs_the_childs_descriptors_are_its_streams(world):
    """No line passes through us: 1 and 2 of the child are sockets connected to journald, under its identifier."""
    journal = world.journal()
    command, tell, gate = world.actor()
    with world.forked("-p", "SyslogIdentifier=shop", log=False, command=command) as daemon:
        tell.expect("up")
        gate.say("out straight")
        header, _ = journal.until_streamed("shop", "straight\n")
        assert header[2] in ("6", "30")
        gate.say("err crooked")
        journal.until_streamed("shop", "crooked\n")
        fds = daemon.only_child().fds()
        assert fds[1].startswith("socket:") and fds[2].startswith("socket:")
        mine = {name for name in daemon.fds().values() if name.startswith("socket:")}
        assert not mine & {fds[1], fds[2]}, "we hold no copy of the streams"


@pytest.mark.private
@pytest.mark.user
def test_journal_as_a_user(world):
    journal = world.journal()
    captured(world)
    assert own([r["AMPHID_STAGE"] for r in journal.stages()]) == own(ALL)


def test_foreground_output_goes_straight_to_the_terminal(world):
    run = world.run("-n", "web", "--", "sh", "-c", "echo out; echo err >&2", code=0)
    assert run.out == "out\n" and "err\n" in run.err
