"""The notify server: everything that sd_notify(3) can say, said by a real child, and what no child can do with it."""
import json
import os
import pathlib
import signal
import socket as sockets

import pytest

import sandbox
from lib import Process, ms

NOTIFIER = pathlib.Path(__file__).with_name("notifier.py").read_text()


class Service:
    """An instance "web" with a notifier as its COMMAND."""

    def __init__(self, world, *args, ready=True, **kw):
        self.world, self.ups = world, 0
        number = len(world.closing)
        self.tell, self.gate = world.tell(f"tell{number}"), world.fifo(f"gate{number}")
        self.command = ["/usr/bin/python3", "-ISc", NOTIFIER, self.tell.path, self.gate.path]
        self.run = world.start(f"--log=file:{world.log}", "-n", "web", *args, "--", *self.command, **kw)
        self.began()
        if ready:
            self.do("say READY=1")
            self.until_up()

    def began(self, stored=""):
        """Waits until the child is at work."""
        self.tell.expect("up")
        self.tell.expect(f"stored {stored}".rstrip())

    def do(self, line):
        self.gate.say(line)
        self.tell.expect("did " + line.split()[0])

    def said(self, line):
        """Said, and heard by now."""
        self.do("say " + line)
        self.do("barrier")

    def job(self):
        job, = json.loads(self.world.run("status", "web", "--json").out)["jobs"]
        return job

    def until_up(self):
        """Waits until it is up once more."""
        self.ups += 1
        log = self.world.log
        self.world.files.until(log, lambda text: text.count("stage=ready") >= self.ups, f"up {self.ups} times")
        assert self.job()["state"] == "up"

    def fds(self):
        """The descriptors of the daemon: what was closed before is handled in the round of the first answer."""
        self.do("barrier")
        self.do("barrier")
        return set(Process(self.world.pump, self.run.pid).fds())

    def process(self):
        return Process(self.world.pump, self.job()["mainPid"])

    def socket(self):
        return str(self.world.base / "web" / "notify")

    def stop(self, code=0):
        self.world.run("stop", "web")
        self.run.wait(code)


@pytest.fixture
def notify(world):
    """A Type=notify service that is up; more options as arguments."""
    services = []

    def start(*args, **kw):
        services.append(Service(world, "-p", "Type=notify", *args, **kw))
        return services[-1]
    yield start
    for service in services:
        if service.run.code is None:
            service.stop()


# --- what a child says of itself

@pytest.mark.everyone
def test_status(notify):
    service = notify()
    assert service.job()["statusText"] is None
    service.said("STATUS=serving 3 clients: größer als 2")
    assert service.job()["statusText"] == "serving 3 clients: größer als 2"
    assert "serving 3 clients" in service.world.run("status", "web", code=0).out
    service.said("STATUS=one|STATUS=two|X_STATUS=three")
    assert service.job()["statusText"] == "two"
    service.said("STATUS=")
    assert not service.job()["statusText"]


def test_status_is_harmless(notify):
    service = notify()
    service.said("STATUS=\x1b[31mred\a\x7f \u009b31m")
    text = service.job()["statusText"]
    assert text.endswith("31m") and text.isprintable() and "\x1b" not in service.world.run("status", "web").out


def test_reloading(notify):
    service = notify()
    service.said("RELOADING=1|MONOTONIC_USEC=1")
    assert service.job()["state"] == "reloading"
    service.said("READY=1")
    assert service.job()["state"] == "up"


@pytest.mark.everyone
@pytest.mark.parametrize("form", ["pid", "id", "pidfd"])
def test_main_process_is_handed_over(notify, form):
    """The end of the first one is not the end of the job; that of its heir is."""
    service = notify()
    first = service.process()
    service.gate.say("heir " + form)
    first.wait()
    service.tell.expect("did heir")
    heir = service.process()
    assert heir.pid != first.pid and f"heir {heir.pid}" in service.tell.lines()
    service.said("STATUS=it is me now")
    assert service.job()["statusText"] == "it is me now"
    service.gate.say("exit 23")
    service.run.wait(23)


def test_end_of_an_heir_among_many_descriptors(world, notify):
    """Its end is told twice, by a pidfd and by SIGCHLD: whichever comes first, how it has ended is not lost."""
    service = notify()
    watchers = [sockets.socket(sockets.AF_UNIX) for _ in range(20)]  # so many that the loop takes them as they come
    for watcher in watchers:
        watcher.connect(str(world.base / "web" / "control"))
    first = service.process()
    service.gate.say("heir pid")
    first.wait()
    service.tell.expect("did heir")
    heir, daemon = service.process(), Process(world.pump, service.run.pid)
    daemon.kill(signal.SIGSTOP)
    service.gate.say("exit 23")
    world.pump.until(lambda: heir.gone, "the end of the heir")
    daemon.kill(signal.SIGCONT)
    service.run.wait(23)
    for watcher in watchers:
        watcher.close()


@pytest.mark.everyone
def test_main_process_of_another_parent(notify):
    """Its end is seen although it is not for us to reap; what is left of the job then goes, too."""
    service = notify()
    first = service.process()
    service.gate.say("heir kept")
    service.tell.expect("did heir")
    assert service.process().pid != first.pid and first.alive()
    service.gate.say("exit 0")
    service.run.wait(0)
    assert not first.alive()


def test_strangers_do_not_become_the_main_process(notify):
    service = notify()
    before = service.process()
    ended = os.fork()
    if ended == 0:
        os._exit(0)
    os.waitpid(ended, 0)
    for pid in (1, 0, -1, os.getpid(), service.run.pid, ended, 2**31 - 1, 2**31, 2**32 + before.pid):
        service.said(f"MAINPID={pid}")
        assert service.job()["mainPid"] == before.pid, pid
    service.said("MAINPIDFD=1")
    service.said(f"MAINPID={before.pid}|MAINPIDFDID=1")
    service.do(f"foreign {os.getpid()}")
    service.do("barrier")
    assert service.job()["mainPid"] == before.pid
    assert "MAINPID= is passed over" in service.world.log.read_text()


def test_barrier_is_answered_when_all_before_it_is_heard(notify):
    service = notify("-p", "NotifyAccess=all")
    for number in range(20):
        service.do(f"say STATUS=number {number}")
    service.do("barrier")
    assert service.job()["statusText"] == "number 19"
    service.do("barrier")


def test_barrier_of_those_who_are_not_heard_is_answered(notify):
    service = notify("-p", "NotifyAccess=main")
    service.do("child STATUS=a child")
    assert service.job()["statusText"] is None


# --- time

def test_more_time_to_start(world, notify):
    """With EXTEND_TIMEOUT_USEC= a start may take longer than TimeoutStartSec=."""
    service = notify("-p", f"TimeoutStartSec={ms(1000)}", ready=False)
    service.do("say EXTEND_TIMEOUT_USEC=3600000000")
    for _ in range(10):  # together longer than the limit
        world.pump.never(service.run.ended, "the end")
    assert service.job()["state"] == "starting"
    service.do("say READY=1")
    service.until_up()


def test_more_time_ends(notify):
    service = notify("-p", f"TimeoutStartSec={ms(500)}", ready=False)
    service.do(f"say EXTEND_TIMEOUT_USEC={int(ms(700)[:-2]) * 1000}")
    service.run.wait()
    assert service.run.code != 0 and "not ready within" in service.run.err + service.world.log.read_text()


def test_watchdog_is_fed(world, notify):
    service = notify("-p", f"WatchdogSec={ms(1500)}")
    environ = service.process().environ()
    assert environ["WATCHDOG_USEC"] == str(int(ms(1500)[:-2]) * 1000)
    assert environ.get("WATCHDOG_PID") == str(service.job()["mainPid"]), "else its children would feed it, too"
    for _ in range(15):  # together longer than the limit
        service.do("say WATCHDOG=1")
        world.pump.never(service.run.ended, "the end")
    assert service.job()["restarts"] == 0


def until_restarted(service):
    service.began()
    service.do("say READY=1")
    service.until_up()
    assert service.job()["restarts"] == 1
    log = service.world.log.read_text()
    assert "SIGABRT" in log and "watchdog" in log


def test_watchdog_is_hungry(notify):
    service = notify("-p", f"WatchdogSec={ms(150)}", "-p", "Restart=on-watchdog", "-p", "RestartSec=0")
    until_restarted(service)


def test_watchdog_is_triggered(notify):
    service = notify("-p", "Restart=on-watchdog", "-p", "RestartSec=0")
    service.gate.say("say WATCHDOG=trigger")  # it may not live to tell
    until_restarted(service)


def test_watchdog_interval_is_changed(notify):
    service = notify("-p", "WatchdogSec=1h", "-p", "Restart=on-watchdog", "-p", "RestartSec=0")
    service.gate.say(f"say WATCHDOG_USEC={int(ms(50)[:-2]) * 1000}")
    until_restarted(service)


def test_watchdog_is_turned_off(world, notify):
    service = notify("-p", f"WatchdogSec={ms(150)}", ready=False)
    service.do("say READY=1|WATCHDOG_USEC=0")
    for _ in range(3):
        world.pump.never(service.run.ended, "the end")
    assert service.job()["state"] == "up"


def test_result_of_a_watchdog(notify):
    service = notify()
    service.gate.say("say WATCHDOG=trigger")  # it may not live to tell
    service.run.wait(128 + signal.SIGABRT)
    assert "watchdog" in service.world.log.read_text()


# --- descriptors

STORE = ("-p", "Restart=always", "-p", "RestartSec=0", "-p", "FileDescriptorStoreMax=4")


def again(service, stored):
    service.gate.say("exit 1")
    service.began(stored)
    service.do("say READY=1")
    service.until_up()


@pytest.mark.everyone
def test_descriptors_survive_a_restart(notify):
    service = notify(*STORE)
    service.do("store state some text")
    service.do("store other of this")
    service.do("say FDSTORE=1")
    again(service, "other=of this state=some text")
    again(service, "other=of this state=some text")
    service.said("FDSTOREREMOVE=1|FDNAME=state")
    service.said("FDSTOREREMOVE=1")
    again(service, "other=of this")
    assert service.job()["restarts"] == 3


def test_no_more_descriptors_than_allowed(notify):
    service = notify(*STORE)
    service.do("store first 1")
    service.do("many 9")
    again(service, "first=1 many=0 many=1 many=2")
    assert "FDSTORE=1" in service.world.log.read_text()


def test_without_a_store(notify):
    service = notify("-p", "Restart=always", "-p", "RestartSec=0")
    before = service.fds()
    service.do("store state text")
    service.do("many 100")
    assert service.fds() == before
    again(service, "")


def test_what_has_hung_up_is_let_go(notify):
    service = notify(*STORE)
    service.do("pipe polled 1")
    service.do("pipe unpolled 0")
    service.do("barrier")
    service.do("barrier")  # the loop has been round
    again(service, "unpolled=")


def test_many_descriptors(notify):
    """As many as FileDescriptorStoreMax= allows come back, be it hundreds."""
    service = notify(*STORE, "-p", "FileDescriptorStoreMax=500")
    service.do("many 200")
    service.gate.say("exit 1")
    service.tell.expect("up")
    line, = [entry for entry in service.world.pump.until(
        lambda: [entry for entry in service.tell.lines() if entry.startswith("stored")], "stored")]
    assert len(line.split()) == 201


# --- whose word counts

@pytest.mark.everyone
@pytest.mark.parametrize("access,heard", [("main", {"main"}), ("exec", {"main"}), ("all", {"main", "child", "orphan"})])
def test_access(notify, access, heard):
    service = notify("-p", f"NotifyAccess={access}")
    for who, verb in (("main", "say"), ("child", "child"), ("orphan", "orphan")):
        service.said("STATUS=nothing")
        service.do(f"{verb} STATUS={who}")
        if verb != "say":
            service.tell.expect("said")
        service.do("barrier")
        assert service.job()["statusText"] == (who if who in heard else "nothing"), who


def test_last_word_of_an_orphan(notify):
    """It is heard before its end is seen: as long as we have not reaped it, we know that it was one of the job's."""
    service = notify("-p", "NotifyAccess=all")
    daemon = Process(service.world.pump, service.run.pid)
    daemon.kill(signal.SIGSTOP)  # it sees both at once
    service.do("last STATUS=an orphan")
    daemon.kill(signal.SIGCONT)
    service.do("barrier")
    assert service.job()["statusText"] == "an orphan"


SAY = """#!/usr/bin/python3 -IS
import os, socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"STATUS=of a command", os.environ["NOTIFY_SOCKET"])
"""


@pytest.mark.parametrize("access,heard", [("main", False), ("exec", True), ("all", True)])
def test_access_of_commands(world, notify, access, heard):
    """What a command of ExecStartPost= says as its last word is heard before its end is."""
    script = world.work / "say"
    script.write_text(SAY)
    script.chmod(0o755)
    service = notify("-p", f"NotifyAccess={access}", "-p", f"ExecStartPost={script}")
    assert service.job()["statusText"] == ("of a command" if heard else None)


@pytest.mark.parametrize("options", [["-p", "NotifyAccess=none"], []], ids=["none", "default"])
def test_nobody_is_heard(world, options):
    service = Service(world, *options, ready=False)
    assert "NOTIFY_SOCKET" not in service.process().environ()
    assert not os.path.exists(service.socket())
    service.stop()


def test_access_to_all_for_a_simple_service(world):
    service = Service(world, "-p", "NotifyAccess=main", ready=False)
    service.said("STATUS=simple")
    assert service.job()["statusText"] == "simple" and service.job()["state"] == "up"
    service.stop()


def test_access_is_changed(notify):
    service = notify()
    service.said("NOTIFYACCESS=nobody")
    service.said("NOTIFYACCESS=all")
    service.do("child STATUS=a child")
    service.tell.expect("said")
    assert service.job()["statusText"] == "a child"
    service.said("NOTIFYACCESS=none")
    service.do("say STATUS=unheard")
    service.do("barrier")
    assert service.job()["statusText"] == "a child"


@pytest.mark.root
def test_other_users(notify):
    """User= can send; and so can a daemon of root's that goes on as somebody else."""
    service = notify("-p", f"User={sandbox.USER}")
    service.said("STATUS=as a user")
    assert service.job()["statusText"] == "as a user"
    assert os.stat(service.socket()).st_mode & 0o777 == 0o600
    service.stop()
    service = notify()
    service.do(f"as {sandbox.UID}")
    service.said("STATUS=privileges dropped")
    assert service.job()["statusText"] == "privileges dropped"


# --- what does no harm

def stranger_says(service, data, fds=()):
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_DGRAM) as stranger:
        stranger.connect(service.socket())
        stranger.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 1 << 20)
        sockets.send_fds(stranger, [data], list(fds))


def test_strangers(notify):
    """Whoever is not of the job: not heard, and what comes along is closed."""
    service = notify("-p", "NotifyAccess=all", *STORE)
    before = service.fds()
    fd = os.memfd_create("stranger")
    for data in (b"STATUS=a stranger", b"FDSTORE=1\nFDNAME=x", b"WATCHDOG=trigger", b"STOPPING=1", b"MAINPIDFD=1", b""):
        stranger_says(service, data, [fd] * 3)
    os.close(fd)
    service.do("barrier")
    job = service.job()
    assert job["statusText"] is None and job["state"] == "up" and job["restarts"] == 0
    assert service.fds() == before
    again(service, "")


def test_malformed_and_oversized(notify):
    service = notify("-p", "NotifyAccess=all")
    before = service.fds()
    for size in (1, 10, 4095, 4096, 4097, 70000):
        service.do(f"raw {size}")
    service.do("say " + "STATUS=too long" + "x" * 4000 + "|" + "y" * 200)
    service.do("say EXTEND_TIMEOUT_USEC=18446744073709551615|MONOTONIC_USEC=18446744073709551615")
    service.do("say READY=2|STOPPING=x|ERRNO=99999999999|=|==|WATCHDOG_USEC=-1|EXTEND_TIMEOUT_USEC=x")
    service.said("ERRNO=2|BUSERROR=a.B|VARLINKERROR=c.D|EXIT_STATUS=3|X_OWN=1")
    job = service.job()
    assert job["statusText"] is None and job["state"] == "up"
    assert service.fds() == before


def test_flood(notify):
    """While a child floods its socket the instance answers and stops in time."""
    service = notify("-p", "NotifyAccess=all")
    service.gate.say("flood 100000000")
    for _ in range(5):
        assert service.job()["state"] == "up"
    service.stop(0)


@pytest.mark.everyone
def test_nothing_is_hijacked(world):
    """The manager above hears one READY=1, ours, and nothing that would make it take the child for us."""
    socket = world.notify_socket()
    service = Service(world, "-p", "Type=notify", "-p", "NotifyAccess=all", *STORE, ready=False)
    assert service.process().environ()["NOTIFY_SOCKET"] == service.socket()
    service.do("say STATUS=innocent|X_OWN=1")
    service.do(f"say MAINPID={service.job()['mainPid']}|MAINPIDFDID=1")
    service.do("say WATCHDOG=1|WATCHDOG_USEC=1000000|NOTIFYACCESS=all")
    service.do("say EXIT_STATUS=7|ERRNO=5|BUSERROR=a.B|VARLINKERROR=c.D")
    service.do("store state text")
    service.do("say FDSTOREREMOVE=1|FDNAME=state|FDPOLL=0")
    service.do("barrier")
    assert not socket.has("READY")
    service.said("READY=1|STATUS=\x1bREADY=1")
    service.until_up()
    service.said("READY=1")
    service.said("EXTEND_TIMEOUT_USEC=7000000")
    service.said("RELOADING=1|MONOTONIC_USEC=1")
    service.said("READY=1")
    keys = {key for message in socket.all() for key in message}
    assert keys <= {"READY", "STATUS", "RELOADING", "MONOTONIC_USEC", "EXTEND_TIMEOUT_USEC", "MAINPID"}, keys
    assert all(message.get("MAINPID", str(service.run.pid)) == str(service.run.pid) for message in socket.all())
    assert all(pid == service.run.pid for pid, _ in socket.got)
    assert any("innocent" in message.get("STATUS", "") for message in socket.all())
    assert socket.order("READY=1", "RELOADING=1") == ["READY=1", "RELOADING=1", "READY=1"]
    assert all(m["MONOTONIC_USEC"] != "1" for m in socket.all() if "MONOTONIC_USEC" in m), "our time, not the child's"
    service.stop()
