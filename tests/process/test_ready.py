"""--ready=PROBE: the starter and a manager above hear of a service when it can be used, not before, and soon after."""
import json
import os
import pathlib
import shlex
import socket
import time

import pytest

from lib import FACTOR, LONG, Process, ms

SERVER = pathlib.Path(__file__).with_name("server.py").read_text()
SOON = FACTOR  # seconds; looks are at most a quarter of a second apart


class Slow:
    """A service that comes up as the test tells it to, see server.py."""

    def __init__(self, world):
        self.world, number = world, len(world.closing)
        self.tell, self.gate = world.tell(f"tell{number}"), world.fifo(f"gate{number}")
        self.command = ["/usr/bin/python3", "-ISc", SERVER, self.tell.path, self.gate.path]
        self.starter = None

    def fork(self, *args, **kw):
        self.starter = self.world.fork("-n", "web", *args, "--", *self.command, **kw)
        self.tell.expect("up")
        return self.starter

    def do(self, line):
        self.gate.say(line)
        self.tell.expect("did " + line.split()[0])

    def until_up(self):
        """It has just become ready: the starter says so soon."""
        begin = time.monotonic()
        self.starter.wait(0)
        assert time.monotonic() - begin < SOON
        assert (self.starter.out, self.starter.err) == ("", "")
        job = self.job()
        assert job["state"] == "up" and job["ready"] is True and job["readiness"] is None

    def until_missing(self, condition, what):
        """Waits until @condition(what status says is waited for); when that is looked at next only amphid knows."""
        end = time.monotonic() + LONG
        while not condition(self.job()["readiness"]):
            assert time.monotonic() < end, f"{what} in {self.job()}"

    def not_yet(self, why):
        """It is not ready, and status tells why."""
        self.starter.still_waits()
        self.until_missing(lambda waits: why in waits, why)
        job = self.job()
        assert job["state"] == "starting" and job["ready"] is False
        self.world.run("is-ready", "web", code=1)

    def job(self):
        job, = json.loads(self.world.run("status", "web", "--json").out)["jobs"]
        return job

    def stop(self):
        self.world.run("stop", "web", code=0)
        self.world.settle()


@pytest.fixture
def slow(world):
    service = Slow(world)
    yield service
    service.stop()


@pytest.fixture
def port():
    """A port that is ours, and refuses: bound, but nobody listens. SO_REUSEADDR lets the service listen there."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


def connects(where):
    with socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET) as s:
        s.settimeout(SOON)
        s.connect(where if isinstance(where, str) else ("127.0.0.1", where))


# --- one probe of each kind

@pytest.mark.everyone
def test_notify(slow):
    slow.fork("--ready=notify")
    slow.not_yet("notify: no READY=1")
    slow.do("notify READY=1")
    slow.until_up()


@pytest.mark.everyone
def test_fd(slow):
    """As for s6: what comes before the newline does not matter."""
    slow.fork("--ready=fd:7")
    slow.not_yet("fd:7: no newline")
    slow.do("write 7 ready or so")
    slow.until_up()


def test_fd_beside_other_descriptors(slow, world):
    """Two of them, each at its number; both must have said it."""
    slow.fork("--ready=fd:3", "--ready=fd:9")
    slow.do("write 9 .")
    slow.not_yet("fd:3: no newline")
    slow.do("write 3 .")
    slow.until_up()
    fds = Process(world.pump, slow.job()["mainPid"]).fds()
    assert {3, 9} <= set(fds) and all(fds[n].startswith("pipe:") for n in (3, 9))


def test_fd_may_be_closed_afterwards(slow):
    slow.fork("--ready=fd:7")
    slow.do("write 7 .")
    slow.do("close 7")
    slow.until_up()


def test_fd_whose_end_comes_first_is_a_failure(world):
    slow = Slow(world)
    starter = slow.fork("--ready=fd:7")
    slow.gate.say("close 7")
    starter.wait(1)
    assert starter.err.startswith("amphid: web: ") and "fd 7 was closed" in starter.err
    world.until_logged("stage=failed")
    assert "result=protocol" in world.log.read_text()


@pytest.mark.everyone
@pytest.mark.parametrize("host", ["", "127.0.0.1:", "localhost:"])
def test_tcp(slow, port, host):
    slow.fork(f"--ready=tcp:{host}{port}")
    slow.not_yet("Connection refused")
    slow.do(f"listen {port}")
    slow.until_up()
    connects(port)


@pytest.mark.everyone
def test_unix(slow, world):
    path = str(world.work / "socket")
    slow.fork(f"--ready=unix:{path}")
    slow.not_yet("No such file")
    slow.do(f"bind {path}")
    slow.not_yet("Connection refused")
    slow.do(f"listen {path}")
    slow.until_up()
    connects(path)


@pytest.mark.everyone
@pytest.mark.parametrize("path, bad, good", [("/health", 503, 200), ("/", 404, 302), ("/x=401", 200, 401)])
def test_http(slow, port, path, bad, good):
    slow.fork(f"--ready=http://127.0.0.1:{port}{path}")
    slow.not_yet("Connection refused")
    slow.do(f"http {bad}")
    slow.do(f"listen {port}")
    slow.not_yet(str(bad))
    slow.do(f"http {good}")
    slow.until_up()


@pytest.mark.everyone
def test_file(slow, world):
    slow.fork(f"--ready=file:{world.work / 'done'}")
    slow.not_yet("No such file")
    slow.do(f"touch {world.work / 'done'}")
    slow.until_up()


@pytest.mark.everyone
def test_log(slow, world):
    slow.fork("--ready=log:^listening on [0-9]+$")
    slow.do("out listening on nothing")
    slow.not_yet("no such line")
    slow.do("out listening on 80")
    slow.until_up()
    world.until_logged("listening on 80")


def test_log_on_stderr(slow):
    slow.fork("--ready=log:here (we|they) are")
    slow.do("write 2 at last here we are, all of us")
    slow.until_up()


@pytest.mark.everyone
def test_exec(slow, world):
    slow.fork(f"--ready=exec:/usr/bin/test -e {world.work / 'done'}")
    slow.not_yet("1")
    slow.do(f"touch {world.work / 'done'}")
    slow.until_up()


def test_exec_is_not_taken_for_the_main_process(slow, world):
    """Its end is the end of a look; the looks that fail leave no zombie."""
    slow.fork(f"--ready=exec:/usr/bin/test -e {world.work / 'done'}")
    main = slow.job()["mainPid"]
    slow.not_yet("1")
    daemon = world.daemon("web")
    zombies = [pid for pid in daemon.children() if "(zombie)" in Process(world.pump, pid).status()["State"]]
    assert zombies == [] and slow.job()["mainPid"] == main
    slow.do(f"touch {world.work / 'done'}")
    slow.until_up()
    assert slow.job()["mainPid"] == main


def test_delay(world):
    begin = time.monotonic()
    with world.forked(f"--ready=delay:{ms(300)}"):
        assert 0.3 * FACTOR <= time.monotonic() - begin < 0.3 * FACTOR + 2 * SOON


# --- Type=forking

@pytest.mark.everyone
def test_forking_with_a_pid_file(slow, world):
    """systemd.service(5): up when the first process has ended and PIDFile= names the one that goes on."""
    path = world.work / "web.pid"
    slow.fork("-p", "Type=forking", "-p", f"PIDFile={path}")
    slow.starter.still_waits()
    slow.do("fork")
    slow.starter.still_waits()
    slow.do(f"pid {path} {os.getpid()}")  # a file that lies
    slow.starter.still_waits()
    slow.do(f"pid {path}")
    slow.until_up()
    job = slow.job()
    assert job["mainPid"] == int(path.read_text())
    main = Process(world.pump, job["mainPid"])
    slow.stop()
    assert main.gone


@pytest.mark.everyone
def test_forking_without_a_pid_file(slow, world):
    slow.fork("-p", "Type=forking")
    first = slow.job()["mainPid"]
    slow.starter.still_waits()
    slow.do("fork")
    slow.until_up()
    main = slow.job()["mainPid"]
    assert main != first and Process(world.pump, main).stat()["sid"] == main


def test_forking_and_more(slow, world, port):
    slow.fork("-p", "Type=forking", f"--ready=tcp:{port}")
    slow.do("fork")
    slow.not_yet("Connection refused")
    slow.do(f"listen {port}")
    slow.until_up()


def test_forking_that_fails(world):
    slow = Slow(world)
    starter = slow.fork("-p", "Type=forking")
    slow.gate.say("exit 5")
    starter.wait(5)
    assert "5" in starter.err.splitlines()[0]


def test_forking_that_leaves_nobody(world):
    """It says that it is a daemon, and there is none."""
    slow = Slow(world)
    starter = slow.fork("-p", "Type=forking")
    slow.gate.say("exit 0")
    starter.wait()
    assert starter.code != 0 and starter.err.startswith("amphid: web: "), starter


# --- several

@pytest.mark.everyone
def test_all_must_hold(slow, world, port):
    slow.fork("--ready=notify", f"--ready=tcp:{port}", f"--ready=file:{world.work / 'done'}", "--ready=log:^go$")
    left = {"notify": "notify READY=1", "tcp": f"listen {port}", "file": f"touch {world.work / 'done'}",
            "log": "out go"}
    while len(left) > 1:
        slow.until_missing(lambda waits: all(kind + ":" in waits for kind in left), f"all of {list(left)}")
        kind, order = left.popitem()
        slow.do(order)
        slow.starter.still_waits()
        slow.until_missing(lambda waits, kind=kind: f"{kind}:" not in waits, f"no {kind}")
    slow.do(left.popitem()[1])
    slow.until_up()


def test_type_notify_and_a_probe(slow, port):
    slow.fork("-p", "Type=notify", f"--ready=tcp:{port}")
    slow.do(f"listen {port}")
    slow.not_yet("notify")
    slow.do("notify READY=1")
    slow.until_up()


def test_ready_again_after_a_restart(slow, world, port):
    """Each life has to become ready by itself."""
    slow.fork(f"--ready=tcp:{port}", "--restart=always", "-p", f"RestartSec={ms(1)}")
    slow.do(f"listen {port}")
    slow.until_up()
    slow.gate.say("exit 1")
    slow.tell.expect("up")
    world.run("is-ready", "web", code=1)
    assert slow.job()["state"] == "starting"
    slow.do(f"listen {port}")
    world.files.until(world.log, lambda text: text.count("stage=ready") == 2, "ready twice")
    world.run("is-ready", "web", code=0)


# --- never

NEVER = [("tcp:{port}", "Connection refused"), ("unix:{work}/none", "No such file"),
         ("file:{work}/none", "No such file"), ("notify", "no READY=1"), ("log:^never$", "no such line"),
         ("fd:5", "no newline"),
         ("exec:/bin/false", "1"), ("http://127.0.0.1:{port}/", "Connection refused"), ("delay:1h", "not over")]


@pytest.mark.parametrize("probe, why", NEVER, ids=[probe.split(":")[0] for probe, _ in NEVER])
def test_timeout_tells_what_was_seen_last(world, port, probe, why):
    slow = Slow(world)
    probe = probe.format(port=port, work=world.work)
    starter = slow.fork(f"--ready={probe}", "-p", f"TimeoutStartSec={ms(300)}").wait(1)
    first = starter.err.splitlines()[0]
    assert first.startswith("amphid: web: ") and "TimeoutStartSec" in first and probe in first and why in first, first
    world.until_logged("stage=failed")
    assert "result=timeout" in world.log.read_text()


def test_timeout_names_only_what_is_missing(world, port):
    slow = Slow(world)
    starter = slow.fork(f"--ready=tcp:{port}", "--ready=log:^here$", "-p", f"TimeoutStartSec={ms(500)}")
    slow.do(f"listen {port}")
    starter.wait(1)
    assert "log:^here$: no such line" in starter.err and f"tcp:{port}" not in starter.err


def test_ended_before_it_was_ready(world, port):
    slow = Slow(world)
    starter = slow.fork(f"--ready=tcp:{port}")
    slow.do("write 2 no luck")
    slow.gate.say("exit 9")
    starter.wait(9)
    assert "9" in starter.err.splitlines()[0] and "no luck" in starter.err


def test_what_somebody_else_listens_to(world, slow, port):
    """A probe cannot know who answers: what listens there already counts. It is as documented."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        slow.fork(f"--ready=tcp:{port}")
        slow.until_up()


def test_a_port_that_accepts_nobody(world):
    """A full backlog: connect(2) hangs, the loop does not. status and stop are answered."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for s in fillers:
            s.setblocking(False)
            s.connect_ex(address)
        slow = Slow(world)
        starter = slow.fork(f"--ready=tcp:{address[1]}")
        slow.not_yet("tcp:")
        world.run("stop", "web", code=0)
        assert starter.wait().code != 0
        for s in fillers:
            s.close()


def test_an_http_server_that_says_nothing(world, slow, port):
    slow.fork(f"--ready=http://127.0.0.1:{port}/")
    with socket.socket() as mute:
        mute.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mute.bind(("127.0.0.1", port))
        mute.listen()
        slow.not_yet("http:")


@pytest.mark.parametrize("probe", ["tcp:", "tcp:70000", "unix:relative", "http://example.com/", "log:(", "fd:x",
                                   "sleep:1", "exec:", "delay:soon"])
def test_nonsense_is_refused_at_once(world, probe):
    run = world.run("--fork", f"--ready={probe}", "--", "true")
    assert run.code in (1, 2, 64) and "eady" in run.err, run


# --- for a manager: ExecStart=amphid --ready=... -- prog in a unit of Type=notify

@pytest.mark.everyone
def test_a_manager_hears_ready_when_it_is(world, port):
    manager = world.notify_socket()
    slow = Slow(world)
    run = world.start_with_own_pid("-n", "web", f"--log=file:{world.log}", f"--ready=tcp:{port}", "--", *slow.command)
    slow.tell.expect("up")
    world.pump.never(lambda: manager.has("READY"), "READY=1")
    slow.do(f"listen {port}")
    assert "web up" in manager.until_has("READY", "1")["STATUS"]
    connects(port)
    run.kill()
    run.wait(0)
    assert manager.has("STOPPING", "1")


def test_a_manager_hears_why_it_is_not(world, port):
    manager = world.notify_socket()
    slow = Slow(world)
    run = world.start_with_own_pid("-n", "web", f"--log=file:{world.log}", f"--ready=tcp:{port}",
                                   "-p", f"TimeoutStartSec={ms(300)}", "--", *slow.command)
    slow.tell.expect("up")
    run.wait(1)
    assert not manager.has("READY")
    assert "Connection refused" in manager.until_has("EXIT_STATUS", "1")["STATUS"]


def test_a_child_does_not_speak_for_us(world, port):
    """It says READY=1 although a probe does not hold: the manager above hears nothing."""
    manager = world.notify_socket()
    slow = Slow(world)
    run = world.start_with_own_pid("-n", "web", f"--log=file:{world.log}", "--ready=notify", f"--ready=tcp:{port}",
                                   "--", *slow.command)
    slow.tell.expect("up")
    slow.do("notify READY=1")
    world.pump.never(lambda: manager.has("READY"), "READY=1")
    slow.do(f"listen {port}")
    manager.until_has("READY", "1")
    run.kill()
    run.wait(0)
    assert manager.order("READY=1") == ["READY=1"]


# --- as an administrator would write it

def test_a_shell_script_with_background_children(world, port):
    """The script itself is not ready: what it has started in the background is."""
    gate = world.fifo("gate")
    server = "import socket,sys; s=socket.socket(); s.setsockopt(1, 2, 1); s.bind(('127.0.0.1', int(sys.argv[1]))); " \
             "s.listen(); open(sys.argv[2]).readline()"
    script = f"read line < {gate.path}; " \
             f"{shlex.join(['/usr/bin/python3', '-ISc', server, str(port), str(gate.path)])} & wait"
    starter = world.fork("-n", "web", f"--ready=tcp:{port}", "--", "sh", "-c", script)
    starter.still_waits()
    gate.say("go")
    starter.wait(0)
    connects(port)
    world.run("stop", "web", code=0)
    world.settle()
