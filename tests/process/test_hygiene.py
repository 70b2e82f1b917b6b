"""Nothing of the caller survives in the daemon that should not: proven from /proc of the daemon and its child."""
import contextlib
import fcntl
import os
import pty
import resource
import signal
import subprocess
import termios

import pytest

from lib import COMMAND, LONG, Process, stat_of

CATCHABLE = set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}
# Terminals, sessions, supervisors: what says where the caller was, and is not true for a daemon.
LEAKS = {
    "TERM": "xterm", "SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22", "SSH_CLIENT": "1.2.3.4 5 22", "SSH_TTY": "/dev/pts/7",
    "SSH_AUTH_SOCK": "/tmp/agent", "TMUX": "/tmp/tmux-0/default,1,0", "TMUX_PANE": "%1", "STY": "1.pts-0.host",
    "WINDOWID": "1", "COLORTERM": "truecolor",
}
SUPERVISOR = {
    "NOTIFY_SOCKET": "/run/nowhere/notify", "SYSTEMD_EXEC_PID": "1", "INVOCATION_ID": "0123456789abcdef" * 2,
    "JOURNAL_STREAM": "9:12345", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1", "MAINPID": "1",
    "LISTEN_FDS": "2", "LISTEN_PID": "1", "LISTEN_FDNAMES": "a:b",
}


def ignore_everything():
    for number in CATCHABLE:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)


def block_everything():
    signal.pthread_sigmask(signal.SIG_BLOCK, CATCHABLE)


# --- descriptors

@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_descriptors(world):
    marker = os.open(world.mkdir("marker"), os.O_RDONLY)

    def prepare():
        for fd in [*range(3, 51, 2), 51, 52, 200, 255, 256, 700]:
            os.dup2(marker, fd)
    with world.forked(preexec_fn=prepare, close_fds=False) as daemon:
        fds = daemon.fds()
        assert [fds[fd] for fd in (0, 1, 2)] == ["/dev/null"] * 3
        assert list(fds.values()).count("/dev/null") == 3 and max(fds) < 30, fds
        assert not [name for name in fds.values() if name.endswith("/marker")]
        child = daemon.only_child().fds()
        assert sorted(child) == [0, 1, 2, 3], child  # 3 is what the command itself opened
        assert child[0] == "/dev/null" and child[3].endswith("/hold")
    os.close(marker)


@pytest.mark.no_wrapper
def test_more_descriptors_than_the_limit_now_allows(world):
    """Opened first, then the limit lowered: a loop to the limit would miss them."""
    def prepare():
        for fd in (40, 200, 700):
            os.dup2(1, fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 1000))
    with world.forked(preexec_fn=prepare, close_fds=False) as daemon:
        assert max(daemon.fds()) < 50
        assert max(daemon.only_child().fds()) == 3


@pytest.mark.no_wrapper
@pytest.mark.parametrize("fork", [True, False], ids=["fork", "foreground"])
def test_passed_sockets_survive_for_the_child(world, fork):
    """LISTEN_FDS is for whoever COMMAND is: same descriptors, and LISTEN_PID is its PID."""
    def prepare():
        null = os.open("/dev/zero", os.O_RDONLY)
        for fd in (3, 4, 5, 20):
            os.dup2(null, fd, inheritable=True)
        os.close(null) if null not in (3, 4, 5, 20) else None
    script = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"'
    options = ["--fork"] if fork else []
    command, tell, _ = world.actor()
    run = world.start(argv=["sh", "-c", script, "sh", *COMMAND, *options, f"--log=file:{world.log}", "-n", "web", "--",
                            *command], env={"LISTEN_FDS": "2", "LISTEN_FDNAMES": "one:two"},
                      preexec_fn=prepare, close_fds=False)
    tell.expect("up")
    daemon = run.wait(0) and world.daemon("web") if fork else Process(world.pump, run.pid)
    child = daemon.only_child()
    fds, environ = child.fds(), child.environ()
    assert fds[3] == fds[4] == "/dev/zero"
    assert not fork or 20 not in fds and fds.get(5) != "/dev/zero"
    assert environ["LISTEN_FDS"] == "2" and environ["LISTEN_PID"] == str(child.pid)
    assert environ["LISTEN_FDNAMES"] == "one:two"
    daemon.kill()
    if fork:
        daemon.wait()
    else:
        run.wait(0)


# --- signals

@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_ignored_signals(world):
    with world.forked() as clean:
        wanted = clean.signals("SigIgn")
    with world.forked(preexec_fn=ignore_everything, restore_signals=False) as daemon:
        assert daemon.signals("SigIgn") == wanted
        assert wanted <= {signal.SIGPIPE}, "at most what a daemon ignores itself"
        assert daemon.only_child().signals("SigIgn") == set()


@pytest.mark.no_wrapper
@pytest.mark.everyone
def test_blocked_signals(world):
    with world.forked() as clean:
        wanted = clean.signals("SigBlk")
    with world.forked(preexec_fn=block_everything) as daemon:
        assert daemon.signals("SigBlk") == wanted
        assert not {signal.SIGSEGV, signal.SIGUSR2, signal.SIGRTMAX} & wanted
        assert daemon.only_child().signals("SigBlk") == set()


def test_signals_of_a_foreground_child(world):
    """What the caller ignores may stay ignored there (nohup), but SIGCHLD ignored would hide the child's end."""
    def both():
        ignore_everything()
        block_everything()
    run = world.start("-n", "web", "--", "grep", "^Sig", "/proc/self/status", preexec_fn=both,
                      restore_signals=False).wait(0)
    status = dict(line.split(":\t") for line in run.out.splitlines() if ":\t" in line)
    assert int(status["SigBlk"], 16) == 0
    assert int(status["SigIgn"], 16) & 1 << signal.SIGCHLD - 1 == 0


# --- umask, directory, limits that stay

@pytest.mark.everyone
def test_umask(world):
    with world.forked(umask=0o077) as daemon:
        mask = daemon.status()["Umask"]
        child = daemon.only_child().status()["Umask"]
    with world.forked(umask=0) as daemon:
        assert daemon.status()["Umask"] == mask
        assert daemon.only_child().status()["Umask"] == child
    assert mask in ("0000", "0022") and child in ("0000", "0022")


@pytest.mark.everyone
def test_directory(world):
    with world.forked() as daemon:
        assert daemon.cwd() == "/"
        assert daemon.only_child().cwd() == "/"


def test_a_directory_that_is_gone(world):
    gone = world.mkdir("gone")
    argv = ["sh", "-c", f'cd {gone} && rmdir {gone} && exec "$@"', "sh", *COMMAND, "--fork", "-n", "web",
            f"--log=file:{world.log}", "--", *world.holder()]
    world.start(argv=argv).wait(0)
    daemon = world.daemon("web")
    assert daemon.cwd() == "/"
    daemon.kill()
    daemon.wait()


# --- environment

@pytest.mark.everyone
def test_environment_of_the_daemon_and_its_child(world):
    with world.forked(env={**LEAKS, **SUPERVISOR}) as daemon:
        environ = daemon.only_child().environ()
        assert not set(environ) & (set(LEAKS) | set(SUPERVISOR))
        assert environ["FOO"] == "bar" and environ["PATH"] == world.env["PATH"]


def test_what_a_supervisor_meant_for_another_process(world):
    """In the foreground too: sockets, watchdog and passed descriptors are not the child's."""
    run = world.run("--mode=foreground", "-n", "web", "--", "env", env=SUPERVISOR, code=0)
    environ = dict(line.split("=", 1) for line in run.out.splitlines())
    assert not set(environ) & {key for key in SUPERVISOR if key.split("_")[0] in ("NOTIFY", "WATCHDOG", "LISTEN")}
    assert environ["FOO"] == "bar"


def test_a_terminal_of_the_foreground_is_kept(world):
    """In the foreground the terminal is real: TERM stays."""
    run = world.run("-n", "web", "--", "env", env={"TERM": "xterm"}, code=0)
    assert "TERM=xterm" in run.out.splitlines()


# --- who it is to the kernel

@pytest.mark.everyone
def test_identity(world):
    """PPID is the reaper (this test run is a subreaper), PID is neither PGID nor SID, there is no terminal."""
    run = world.fork("-n", "web", "--", *world.holder()).wait(0)
    daemon = world.daemon("web")
    stat = daemon.stat()
    assert stat["ppid"] == os.getpid()
    assert stat["pgid"] == stat["sid"] != daemon.pid
    assert stat["sid"] not in (run.pid, os.getsid(0)) and stat["tty"] == 0
    child = daemon.only_child()
    assert child.stat()["ppid"] == daemon.pid and child.stat()["tty"] == 0
    daemon.kill()
    daemon.wait()


class Terminal:
    """A shell on a terminal of its own, as a user has one."""

    def __init__(self, world, script, *args):
        self.pump, self.text = world.pump, ""
        self.master, slave = pty.openpty()

        def take():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        options = world.popen_as({})
        if world.as_user:
            os.fchown(slave, world.uid, -1)
        self.shell = subprocess.Popen(["sh", "-c", script, "sh", *map(str, args)], stdin=slave, stdout=slave,
                                      stderr=slave, env={**world.env, "TERM": "xterm"}, start_new_session=True,
                                      preexec_fn=take, **options)
        os.close(slave)
        self.tty = stat_of(self.shell.pid)[3]
        self.pump.add(self.master, self._read)

    def _read(self):
        try:
            self.text += os.read(self.master, 65536).decode()
        except OSError:  # the other side is closed
            self.pump.remove(self.master)

    def expect(self, text):
        self.pump.until(lambda: text in self.text, lambda: f"{text!r} on the terminal: {self.text}")

    def hang_up(self):
        self.pump.remove(self.master)
        os.close(self.master)
        return self.ended()

    def ended(self):
        return self.shell.wait(timeout=LONG)


@pytest.mark.everyone
def test_the_terminal_is_left_and_its_end_survived(world):
    terminal = Terminal(world, '"$@" && echo started; tty; read x', *COMMAND, "--fork", "-n", "web",
                        f"--log=file:{world.log}", "--", *world.holder())
    terminal.expect("/dev/pts/")
    assert "started" in terminal.text and terminal.tty != 0
    daemon = world.daemon("web")
    child = daemon.only_child()
    for process in (daemon, child):
        assert process.stat()["tty"] == 0
        assert not any(name.startswith("/dev/pts") for name in process.fds().values())
    os.write(terminal.master, b"\x03")  # Ctrl-C
    assert terminal.ended() == -signal.SIGINT
    terminal.hang_up()
    world.run("status", "web", code=0)
    assert daemon.alive() and child.alive()
    daemon.kill()
    assert daemon.wait() == 0


def test_hangup_while_the_daemon_runs(world):
    terminal = Terminal(world, '"$@"; tty; read x', *COMMAND, "--fork", "-n", "web", f"--log=file:{world.log}", "--",
                        *world.holder())
    terminal.expect("/dev/pts/")
    daemon = world.daemon("web")
    assert terminal.hang_up() == -signal.SIGHUP
    world.run("status", "web", code=0)
    assert daemon.alive()
    daemon.kill()
    assert daemon.wait() == 0


def test_it_never_gets_a_terminal_again(world):
    """It is no session leader: opening a terminal that is nobody's gives it none. The child is told to try."""
    master, slave = pty.openpty()
    script = f"exec 3<>{os.ttyname(slave)}; cut -d' ' -f7 /proc/self/stat > {world.work}/tty"
    world.fork("-n", "web", "-p", "Type=oneshot", "--", "sh", "-c", script).wait(0)
    assert (world.work / "tty").read_text() == "0\n"
    os.close(master)
    os.close(slave)
    world.settle()
