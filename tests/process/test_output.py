"""Output is never lost in silence: whatever becomes of the log, each line is delivered, or counted."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import sandbox
from lib import AMPHID, FACTOR, LONG

SYSLOGD = pathlib.Path(__file__).with_name("syslogd.py").read_text()
LINE = re.compile(r"line (\d+) of many$")
# All of the million only where time is given for it (AMPHID_HEAVY, as in CI).
MANY = int((1000000 if os.environ.get("AMPHID_HEAVY") else 50000) / FACTOR)


def output_of(path, name="web"):
    """What the command has written, by a log file."""
    pattern = re.compile(rb"^\S+ " + name.encode() + rb"\[\d+\]: (.*)$", re.DOTALL)
    lines = pathlib.Path(path).read_bytes().split(b"\n")
    return [m[1].decode(errors="replace") for m in map(pattern.match, lines) if m]


def numbers(lines):
    return [int(m[1]) for m in map(LINE.search, lines) if m]


def expect_many(found, n):
    assert found == list(range(n)), f"{len(found)} lines, wanted {n}; the first that is wrong: " \
        f"{next((i for i, x in enumerate(found) if i != x), len(found))}"


def dropped_of(text):
    return sum(map(int, re.findall(r"dropped_lines=(\d+)", text)))


def seq(n):
    """A COMMAND that writes n lines and ends."""
    return ["seq", "-f", "line %.0f of many", "0", str(n - 1)]


def start(world, *args, command):
    """Starts an instance with a log of the test's own. Returns daemon and child."""
    world.fork("-n", "web", *args, "--", *command, log=False).wait(0)
    daemon = world.daemon("web")
    return daemon, daemon.only_child()


# --- lines

def test_levels(world):
    script = "echo plain; echo '<3>bad'; echo '<8>none' >&2; echo '<6>fine' >&2"
    world.run("--log=json", "-n", "web", "-p", "LogRateLimitIntervalSec=1h", "-p", "LogRateLimitBurst=100", "-p",
              "SyslogLevel=notice", "--", "sh", "-c", script, code=0)
    run = world.runs[-1]
    found = {r["message"]: r["priority"] for r in world.records(run.err or run.out) if "stream" in r}
    assert found == {"plain": 5, "bad": 3, "<8>none": 3, "fine": 6}


def test_levels_that_are_text(world):
    world.fork("-n", "web", "-p", "Type=oneshot", "-p", "SyslogLevelPrefix=no", "--", "echo", "<3>as it is").wait(0)
    world.settle()
    assert output_of(world.log) == ["<3>as it is"]


@pytest.mark.private
def test_levels_in_syslog(world):
    syslog = world.syslog()
    script = "echo plain; echo '<2>bad'; echo err >&2"
    world.fork("-n", "web", "-p", "Type=oneshot", "-p", "SyslogFacility=local0", "--", "sh", "-c", script,
               log=False).wait(0)
    assert syslog.until_text(": plain").startswith("<134>")
    assert syslog.until_text(": bad").startswith("<130>")
    assert syslog.until_text(": err").startswith("<131>")


def test_a_long_line_in_pieces(world):
    world.fork("-n", "web", "-p", "Type=oneshot", "-p", "LineMax=100", "--", "sh", "-c",
               "head -c 250 /dev/zero | tr '\\0' x; echo; echo short").wait(0)
    world.settle()
    assert output_of(world.log) == ["x" * 100 + " [...]", "x" * 100 + " [...]", "x" * 50, "short"]


def test_odd_bytes_pass_unharmed(world):
    world.fork("-n", "web", "-p", "Type=oneshot", "--", "printf", "a\\000b\\377\\303\\n").wait(0)
    world.settle()
    assert b"]: a\0b\xff\xc3\n" in world.log.read_bytes()


def test_odd_bytes_are_valid_json(world):
    path = world.work / "log"
    world.run("--log=json", "-n", "web", "-p", "LogRateLimitIntervalSec=1h", "-p", "LogRateLimitBurst=100", "--",
              "printf", "a\\000b\\377\\033\\n", code=0)
    run = world.runs[-1]
    assert [r["message"] for r in world.records(run.err or run.out) if "stream" in r] == ["a\0b�\x1b"], path


def test_what_was_said_before_the_end_comes_before_it(world):
    """Also without a newline, and from a child that has died of a signal."""
    command = ["sh", "-c", "printf 'last words'; kill -9 $$"]
    world.run(f"--log=file:{world.log}", "-n", "web", "--", *command)
    text = world.log.read_text()
    assert text.index("]: last words\n") < text.index("stage=child-exit")


# --- lines as they are

RECORD = re.compile(rb"\d{4}-\d\d-\d\dT\S+ amphid\[\d+\]: name=web .*")


def as_they_are(*files):
    """What stands in the files, oldest first, without amphid's own records."""
    lines = b"".join(pathlib.Path(f).read_bytes() for f in files).splitlines(keepends=True)
    return b"".join(line for line in lines if not RECORD.match(line))


def old_ones(world):
    return sorted(world.work.glob("log.*"), key=lambda f: -int(f.suffix[1:]))


def test_lines_as_they_are(world):
    """Times of the program's own, levels, a line that is split, odd bytes, and a last line without newline."""
    script = "printf '01:02 one\\n\\n<4>two\\n<x>\\n%0100d\\na\\000\\377\\nend' 7"
    world.fork("-n", "web", "--log-format=cat", "-p", "Type=oneshot", "-p", "LineMax=80", "--", "sh", "-c", script).wait(0)
    world.settle()
    assert as_they_are(world.log) == \
        b"01:02 one\n\ntwo\n<x>\n" + b"0" * 80 + b" [...]\n" + b"%020d\n" % 7 + b"a\0\xff\nend\n"
    assert "stage=ready" in world.log.read_text(errors="replace"), "records keep their form"


def test_many_lines_as_they_are(world):
    """Byte for byte, through many rotations, with stderr between: no line is lost, and none is cut."""
    n = int(100000 / FACTOR)
    script = f"{' '.join(repr(word) for word in seq(n))} & i=0; while [ $i -lt 300 ]; do echo err $i >&2; i=$((i + 1)); done; wait"
    world.fork("-n", "web", "--log-format=cat", "-p", "Type=oneshot", "-p", "LogFileMaxSize=100K", "-p",
               "LogFileMaxFiles=1000", "--", "sh", "-c", script).wait(0)
    world.settle()
    files = [*old_ones(world), world.log]
    assert len(files) > 10 / FACTOR and all(f.stat().st_size <= 102400 for f in files)
    assert all(f.read_bytes().endswith(b"\n") for f in files)
    lines = as_they_are(*files).decode().splitlines(keepends=True)
    assert "".join(l for l in lines if not l.startswith("err ")) == "".join(f"line {i} of many\n" for i in range(n))
    assert [l for l in lines if l.startswith("err ")] == [f"err {i}\n" for i in range(300)]


def test_a_writer_is_killed_within_a_line(world):
    """What it has written is there, and what is written next begins a line."""
    world.run(f"--log=file:{world.log}", "--log-format=cat", "-n", "web", "--", "sh", "-c",
              "seq 1 5000; printf half; kill -9 $$")
    assert as_they_are(world.log).decode().splitlines() == [*map(str, range(1, 5001)), "half"]
    text = world.log.read_text()
    assert text.index("\nhalf\n") < text.index("stage=child-exit")


def test_logs_shows_lines_that_are_as_they_are(world):
    command, tell, gate = world.actor()
    with world.forked("--log-format=cat", command=command):
        tell.expect("up")
        gate.say("many 20000")
        tell.expect("did many")
        gate.say("out the last one")
        world.until_logged("the last one\n")
        lines = world.run("logs", "web", "-n", "3", code=0).out.splitlines()
        assert lines == ["line 19998 of many", "line 19999 of many", "the last one"]


@pytest.mark.private
def test_a_full_disk_and_lines_as_they_are(world):
    n = 60000
    with small_disk(world, 100 * 4096 + n * 100) as disk:
        filler = disk / "filler"
        filler.write_bytes(b"x" * n * 100)
        daemon, child = start(world, f"--log=file:{disk}/log", "--log-format=cat", command=seq(n))
        until_blocked(world, child.pid)
        filler.unlink()
        world.pump.until(lambda: daemon.gone, "the end")
        assert as_they_are(disk / "log").decode() == "".join(f"line {i} of many\n" for i in range(n))


def test_a_gate_sees_lines_that_go_as_they_are(world):
    """log:REGEX looks at each until it is open; from then on they go in one go."""
    script = "seq 1 1000; sleep 0.1; echo go; seq 1001 100000; exec sleep 1000"
    with world.forked("--log-format=cat", "--ready=log:^go$", command=["sh", "-c", script]):
        world.until_logged("\n100000\n")
        expected = [*map(str, range(1, 1001)), "go", *map(str, range(1001, 100001))]
        assert as_they_are(world.log).decode().splitlines() == expected


def test_a_rate_limit(world):
    world.fork("-n", "web", "-p", "Type=oneshot", "-p", "LogRateLimitIntervalSec=1h", "-p", "LogRateLimitBurst=10",
               "--", *seq(1000)).wait(0)
    world.settle()
    expect_many(numbers(output_of(world.log)), 10)
    assert dropped_of(world.log.read_text()) == 990


# --- a log that takes nothing

class Syslogd:
    """The program syslogd.py, which can be killed and started again."""

    def __init__(self, world, lines=-1):
        self.file = world.dir / "syslog"
        self.world, self.process = world, None
        self.start(lines)

    def start(self, lines=-1):
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/dev/log")
        self.process = subprocess.Popen(["/usr/bin/python3", "-ISc", SYSLOGD, "/dev/log", str(self.file), str(lines)])
        self.world.files.until("/dev/none", lambda _: os.path.exists("/dev/log"), "/dev/log")

    def wait(self):
        assert self.process.wait(LONG * 6) == -signal.SIGKILL

    def kill(self):
        self.process.kill()
        self.process.wait()

    def lines(self):
        return self.file.read_text(errors="replace").split("\n")


@pytest.mark.private
def test_syslogd_is_killed_again_and_again(world):
    """A million lines. What stood in the queue of the one that was killed comes once more to the next: some lines
    twice, none lost."""
    syslogd = Syslogd(world, MANY // 5)
    world.fork("-n", "web", "--log=syslog", "--", *seq(MANY), log=False).wait(0)
    daemon = world.daemon("web")  # its child may have written all of it by now
    for _ in range(3):
        syslogd.wait()
        syslogd.start(MANY // 5)
    syslogd.wait()
    syslogd.start()
    world.pump.until(lambda: daemon.gone, "the end", LONG * 12)
    world.pump.until(lambda: syslogd.lines()[-2:][0].endswith("result: success"), "the last record")
    syslogd.kill()
    found = numbers(syslogd.lines())
    assert sorted(set(found)) == list(range(MANY))
    # 64 KiB of the shortest lines at each of four ends.
    assert len(found) < MANY + 4 * 1500, "only what may not have been read comes again"


@pytest.mark.private
def test_the_daemon_lives_while_syslogd_does_not(world):
    """Nobody reads: the child waits, and the daemon still answers, stops and gives up in the end."""
    syslog = world.syslog()
    world.pump.remove(syslog.socket.fileno())  # it stands still
    daemon, child = start(world, "--log=syslog", command=["yes", "a line"])
    until_blocked(world, child.pid)
    assert "yes" in world.run("status", "web", code=0).out
    assert world.run("stop", "web", code=0)
    daemon.wait()


def look_until(world, condition, what):
    """For what is no event: looks now and then."""
    def look():
        world.pump.turn(0.05)
        return condition()
    end = time.monotonic() + LONG
    while not look():
        assert time.monotonic() < end, f"waited in vain for {what}"


def until_blocked(world, pid):
    """Waits until @pid sleeps in a write that nobody reads: it does nothing any more, and has not ended."""
    seen = []

    def stands():
        seen.append(pathlib.Path(f"/proc/{pid}/io").read_text())
        return len(seen) > 2 and seen[-3] == seen[-1]
    look_until(world, stands, "the child to wait")


def fifo_log(world):
    path = world.dir / "fifo"
    os.mkfifo(path)
    os.chmod(path, 0o666)
    return path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)


class Reader:
    """Reads a FIFO, from now on."""

    def __init__(self, world, fd):
        self.world, self.fd, self.chunks = world, fd, []
        world.pump.add(fd, self._read)

    def _read(self):
        with contextlib.suppress(BlockingIOError):
            self.chunks.append(os.read(self.fd, 1 << 16))
            if not self.chunks[-1]:
                self.world.pump.remove(self.fd)

    def text(self):
        return b"".join(self.chunks).decode(errors="replace")

    def to_end(self, daemon):
        """All of it, when the daemon is gone."""
        ended = lambda: daemon.gone and self.fd not in self.world.pump.readers
        self.world.pump.until(ended, "the end of the log", LONG * 3)
        os.close(self.fd)
        return self.text()


def test_a_slow_reader(world):
    path, fd = fifo_log(world)
    n = int(50000 / min(FACTOR, 2))  # more than pipe and buffers hold
    daemon, child = start(world, f"--log=file:{path}", command=seq(n))
    until_blocked(world, child.pid)
    text = Reader(world, fd).to_end(daemon)
    expect_many(numbers(text.split("\n")), n)
    assert "lines dropped" not in text


def test_a_slow_reader_does_not_hold_up_a_stop(world):
    path, fd = fifo_log(world)
    daemon, child = start(world, f"--log=file:{path}", command=["yes", "a line"])
    until_blocked(world, child.pid)
    daemon.kill()
    daemon.wait()
    os.close(fd)


def test_drop(world):
    """The child is never held up; what is lost is counted, and the sum is right."""
    path, fd = fifo_log(world)
    n = int(200000 / FACTOR)
    tell, gate = world.tell(), world.fifo("gate")
    script = f"{' '.join(repr(word) for word in seq(n))}; echo done >{tell.path}; read x <{gate.path}; echo end"
    world.fork("-n", "web", f"--log=file:{path}", "--log-overflow=drop", "--", "sh", "-c", script, log=False).wait(0)
    daemon = world.daemon("web")
    tell.expect("done")
    reader = Reader(world, fd)
    world.pump.until(lambda: dropped_of(reader.text()), "the word that lines were dropped, though none comes any more")
    status = json.loads(world.run("status", "--json", "web", code=0).out)
    gate.say("go")
    text = reader.to_end(daemon)
    found = numbers(text.split("\n"))
    assert 0 < len(found) < n and found == sorted(found)
    assert len(found) + dropped_of(text) == n
    assert text.count("]: end\n") == 1
    assert f'{n - len(found)}' in json.dumps(status), "the status tells it, too"


@contextlib.contextmanager
def small_disk(world, size):
    where = world.mkdir("disk")
    try:
        sandbox.mount("tmpfs", where, "tmpfs", data=f"size={size},mode=777")
    except OSError as error:
        pytest.skip(f"needs to mount a tmpfs: {error}")
    try:
        yield where
    finally:
        sandbox.check(sandbox.libc.umount2(str(where).encode(), 2))


@pytest.mark.private
def test_a_full_disk(world):
    n = 60000  # more than pipe and buffers hold
    with small_disk(world, 200 * 4096 + n * 100) as disk:
        filler = disk / "filler"
        filler.write_bytes(b"x" * n * 100)
        daemon, child = start(world, f"--log=file:{disk}/log", command=seq(n))
        until_blocked(world, child.pid)
        assert "seq" in world.run("status", "web", code=0).out
        filler.unlink()
        world.pump.until(lambda: daemon.gone, "the end")
        expect_many(numbers(output_of(disk / "log")), n)


# --- files

def test_rotation_by_size(world):
    n = int(20000 / FACTOR)
    world.fork("-n", "web", "-p", "Type=oneshot", "-p", "LogFileMaxSize=100K", "-p", "LogFileMaxFiles=100", "--",
               *seq(n)).wait(0)
    world.settle()
    files = sorted(world.work.glob("log.*"), key=lambda f: -int(f.suffix[1:])) + [world.log]
    assert len(files) > 3 / FACTOR and all(f.stat().st_size <= 102400 for f in files)
    expect_many([i for f in files for i in numbers(output_of(f))], n)


def test_only_so_many_old_files(world):
    world.fork("-n", "web", "-p", "Type=oneshot", "-p", "LogFileMaxSize=4K", "-p", "LogFileMaxFiles=2", "--",
               *seq(2000)).wait(0)
    world.settle()
    assert sorted(f.name for f in world.work.glob("log*")) == ["log", "log.1", "log.2"]
    found = numbers(output_of(world.work / "log.2") + output_of(world.work / "log.1") + output_of(world.log))
    assert found == list(range(found[0], 2000)) and len(found) > 50


def test_a_file_that_was_moved_away(world):
    """logrotate(8): mv, then SIGUSR1."""
    command, tell, gate = world.actor()
    with world.forked(command=command) as daemon:
        tell.expect("up")
        gate.say("out before")
        world.until_logged(": before\n")
        world.log.rename(world.work / "old")
        gate.say("out meanwhile")
        world.until_logged(": meanwhile\n", world.work / "old")
        daemon.kill(signal.SIGUSR1)
        world.files.until(world.log, lambda _: world.log.exists(), "a new file")
        gate.say("out after")
        world.until_logged(": after\n")
        assert not (world.work / "log.1").exists()


def test_the_verb_rotate(world):
    command, tell, gate = world.actor()
    with world.forked(command=command):
        tell.expect("up")
        gate.say("out before")
        world.until_logged(": before\n")
        world.run("rotate", "web", code=0)
        assert output_of(world.work / "log.1") == ["before"]
        gate.say("out after")
        world.until_logged(": after\n")
        assert output_of(world.log) == ["after"]


def test_several_writers_of_one_file(world):
    """Each line is whole, whoever wrote it, and none is lost where two want to rotate at once."""
    n, names = int(20000 / FACTOR), ("one", "two", "three")
    for name in names:
        world.fork("-n", name, "--no-wait", "-p", "LogFileMaxSize=200K", "-p", "LogFileMaxFiles=1000", "--", *seq(n))
    world.settle(LONG * 2)
    text = "".join(f.read_text() for f in [*world.work.glob("log.*"), world.log])
    pattern = re.compile(r"\S+ (?:amphid\[\d+\]: name=.*|(one|two|three)\[\d+\]: line (\d+) of many)")
    matches = [pattern.fullmatch(line) for line in text.splitlines()]
    assert all(matches), [line for line, m in zip(text.splitlines(), matches) if not m]
    for name in names:
        assert sorted(int(m[2]) for m in matches if m[1] == name) == list(range(n))


# --- the journal, where lines pass through us

@pytest.mark.private
def test_the_journal_gets_streams_as_they_are(world):
    """A gate log:REGEX has us read the lines; the journal gets them on, prefixes and all."""
    journal = world.journal()
    command, tell, gate = world.actor()
    with world.forked("--ready=log:^go$", "-p", "SyslogIdentifier=shop", "--no-wait", log=False, command=command):
        tell.expect("up")
        gate.say("out <4>one")
        header, _ = journal.until_streamed("shop", "<4>one\n")
        assert header[2] == "30" and header[3] == "1"
        gate.say("err two")
        header, _ = journal.until_streamed("shop", "two\n")
        assert header[2] == "27"
        gate.say("out go")
        journal.until_stage("ready")
        gate.say("part end")
        journal.until_streamed("shop", "go\nend")
    journal.until_streamed("shop", "go\nend\n")


# --- memory

@pytest.mark.no_wrapper
def test_memory_goes_when_the_child_is_quiet(world):
    """Buffers for much output are no part of an idle daemon."""
    if b"__asan_init" in pathlib.Path(AMPHID).read_bytes():
        pytest.skip("a sanitizer keeps what is freed")
    command, tell, gate = world.actor()

    def dirty(pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.search(r"Anonymous: +(\d+)", text)[1])
    with world.forked(command=command) as daemon:
        tell.expect("up")
        gate.say("out first")
        world.until_logged(": first\n")
        before = dirty(daemon.pid)
        gate.say("many 100000")
        tell.expect("did many")
        gate.say("out last")
        world.until_logged(": last\n")
        look_until(world, lambda: dirty(daemon.pid) <= before + 24, "the memory to go")
