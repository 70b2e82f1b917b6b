"""What it costs to capture lines: into a file, to syslog, to the journal. Only the CPU of who captures counts."""
import glob
import os
import pathlib
import signal
import statistics
import subprocess
import time
from typing import NamedTuple, Optional

import report
import world

LENGTH = 100
CHUNKS = {"64K": 65536, "4K": 4096, "line": 0}  # bytes in one write of the writer; 0: one write per line
PLACE = f"{world.SCRATCH}/logs"
SYSLOG, STREAM = f"{PLACE}/syslog", f"{PLACE}/stream"
QUEUE = 512  # net.unix.max_dgram_qlen, as systemd sets it


class Logger(NamedTuple):
    """@command reads lines from stdin, or starts the writer if "{writer}" is in it."""
    name: str
    target: str  # file, syslog, journal
    command: str
    stamps: bool = False  # does it write the time before each line?
    whole: bool = True  # does a line always come to the file in one piece?
    files: str = "{dir}/log"
    config: Optional[str] = None


TIMED = "amphid, with times"
AMPHID = "{amphid} -n bench-log --log={log} {more} -- {writer}"
LOGGERS = [
    Logger("floor", "file", "{bin}/capture file {dir}/log"),
    Logger("amphid", "file", AMPHID.replace("{log}", "file:{dir}/log").replace("{more}", "--log-format=cat")),
    Logger(TIMED, "file", AMPHID.replace("{log}", "file:{dir}/log").replace("{more}", ""), True),
    Logger("daemon", "file", "/usr/bin/daemon -f -N -U -o {dir}/log -- {writer}", whole=False),  # copies what it reads
    Logger("s6-log", "file", "/usr/bin/s6-log n20 s268435455 {dir}", files="{dir}/current {dir}/@*"),
    Logger("s6-log T", "file", "/usr/bin/s6-log n20 s268435455 T {dir}", True, files="{dir}/current {dir}/@*"),
    Logger("multilog", "file", "/usr/bin/multilog s16777215 n20 {dir}", files="{dir}/current {dir}/@*"),
    Logger("multilog t", "file", "/usr/bin/multilog t s16777215 n20 {dir}", True, files="{dir}/current {dir}/@*"),
    Logger("svlogd", "file", "/usr/bin/svlogd -b 65536 {dir}", files="{dir}/current {dir}/@*", config="s0\nn0\n"),
    Logger("floor", "syslog", "{bin}/capture syslog " + SYSLOG),
    Logger("amphid", "syslog", AMPHID.replace("{log}", "syslog").replace("{more}", ""), True),
    Logger("daemon", "syslog", "/usr/bin/daemon -f -N -U -o daemon.info -- {writer}", True),
    Logger("logger", "syslog", "/usr/bin/logger -u " + SYSLOG + " -t bench --socket-errors=off", True),
    Logger("floor", "journal", "{bin}/capture stream " + STREAM),
    # A gate that the first line opens: else the writer itself would hold the stream, and there were nothing to measure.
    Logger("amphid", "journal", AMPHID.replace("{log}", "journal").replace("{more}", "--ready=log:^0000000000")),
]


def missing():
    programs = {l.command.split()[0] for l in LOGGERS if l.command.startswith("/")}
    return sorted(p for p in programs if not os.access(p, os.X_OK))


def furnish():
    """A /dev of our own, for /dev/log; and the place where the journal's sockets are looked for."""
    device = f"{world.SCRATCH}/dev"
    os.mkdir(device)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", device], check=True)
    for name in "null", "zero", "full", "random", "urandom", "tty":
        pathlib.Path(device, name).touch()
        subprocess.run(["mount", "--bind", f"/dev/{name}", f"{device}/{name}"], check=True)
    os.symlink(SYSLOG, f"{device}/log")
    subprocess.run(["mount", "--move", device, "/dev"], check=True)
    os.makedirs("/run/systemd/journal", exist_ok=True)
    for name, target in ("socket", SYSLOG), ("stdout", STREAM):
        os.symlink(target, f"/run/systemd/journal/{name}")
    subprocess.run(["make", "-s", "-C", world.HERE / "src", f"OUT={world.BIN}",
                    *(f"{world.BIN}/{name}" for name in ("writer", "capture"))], check=True)


class Sink:
    """Both sockets, in a network of its own: the length of a queue of datagrams is a network's."""

    def __enter__(self):
        script = f"echo {QUEUE} >/proc/sys/net/unix/max_dgram_qlen; exec {world.BIN}/capture sink {SYSLOG} {STREAM}"
        self.process = subprocess.Popen(["unshare", "--net", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        if not world.wait_until(lambda: os.path.exists(STREAM), 5):
            raise RuntimeError("the sockets do not come")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for path in SYSLOG, STREAM:
            os.unlink(path)

    def finish(self):
        """Datagrams, bytes, time of the last one."""
        time.sleep(0.1)
        self.process.send_signal(signal.SIGTERM)
        return [int(word) for word in self.process.communicate()[0].split()]


def run(logger, amphid, lines, chunk):
    """ns of CPU per line, and thousands of lines in a second."""
    subprocess.run(["rm", "-rf", PLACE], check=True)
    os.mkdir(PLACE)
    if logger.config:
        pathlib.Path(PLACE, "config").write_text(logger.config)
    stat = f"{PLACE}/stat"
    writer = f"{world.BIN}/writer {lines} {LENGTH} {chunk} {stat}"
    command = logger.command.format(bin=world.BIN, dir=PLACE, amphid=amphid, writer=writer).split()
    starts_writer = "{writer}" in logger.command
    with Sink() as sink:
        null = subprocess.DEVNULL
        tool = subprocess.Popen(command, stdin=null if starts_writer else subprocess.PIPE, stdout=null, stderr=null)
        if not starts_writer:
            with subprocess.Popen(writer.split(), stdout=tool.stdin):
                tool.stdin.close()
        _, _, usage = os.wait4(tool.pid, 0)
        tool.returncode = 0
        end = time.monotonic_ns()
        began, writers = map(int, pathlib.Path(stat).read_text().split())
        _, size, last = sink.finish()
        if logger.target != "file":
            end = last
    if logger.target == "file":
        size = sum(os.path.getsize(f) for pattern in logger.files.format(dir=PLACE).split() for f in glob.glob(pattern))
    cpu = (usage.ru_utime + usage.ru_stime) * 1e9 - (writers if starts_writer else 0)
    return {"cpu_ns": cpu / lines, "klines": lines / (end - began) * 1e6, "whole": size >= lines * (LENGTH - 1)}


def logs(amphid, lines, rounds):
    """Medians; the contestants take turns."""
    furnish()
    samples = {}
    for _ in range(rounds):
        for logger in LOGGERS:
            for name, chunk in CHUNKS.items():
                samples.setdefault((logger.target, logger.name, name), []).append(
                    run(logger, amphid, lines // (2 if logger.target == "syslog" else 1), chunk))
    results = {}
    for (target, name, chunk), runs in samples.items():
        results.setdefault(target, {}).setdefault(name, {})[chunk] = {
            "cpu_ns": statistics.median(r["cpu_ns"] for r in runs),
            "klines": statistics.median(r["klines"] for r in runs), "lost": sum(not r["whole"] for r in runs)}
    return results


def tables(results):
    stamps = {(l.target, l.name): l.stamps for l in LOGGERS}
    ways = ["a write per line" if chunk == "line" else f"writes of {chunk}" for chunk in CHUNKS]
    cell = lambda r: f"{r['cpu_ns']:.0f} ({r['klines']:.0f})"
    for target, figures in results["logs"].items():
        report.table(f"Lines of {LENGTH} bytes, pipe → {target}: CPU ns a line (thousands of lines a second)",
                     ["", "time before each line", *ways, "lost"],
                     [[name, "yes" if stamps[target, name] else "", *(cell(r[c]) for c in CHUNKS),
                       sum(r[c]["lost"] for c in CHUNKS)] for name, r in figures.items()])


def targets(results):
    """Like with like: amphid that writes the lines as they are beside all who capture them, amphid that puts the time before
    each beside those who do that, too."""
    file, syslog, journal = (results["logs"][t] for t in ("file", "syslog", "journal"))
    cost = lambda figures, name, chunk: figures[name][chunk]["cpu_ns"]
    peers = {l.name: l for l in LOGGERS if l.target == "file" and l.name not in ("amphid", TIMED, "floor")}
    ratio = lambda name, others, chunk: cost(file, name, chunk) / min(cost(file, o, chunk) for o in others)
    for chunk in "64K", "4K":
        yield f"file, writes of {chunk}, x the best peer", ratio("amphid", peers, chunk), 0.75
        yield "the same, x the best peer that keeps lines whole", ratio("amphid", [p for p in peers if peers[p].whole], chunk), 0.75
        yield "the same with times, x the best peer with times", ratio(TIMED, [p for p in peers if peers[p].stamps], chunk), 0.75
    yield "file, a write per line, x s6-log", ratio("amphid", ["s6-log"], "line"), 0.45
    yield "the same with times, x s6-log with times", ratio(TIMED, ["s6-log T"], "line"), 0.45
    for chunk in CHUNKS:
        yield f"syslog, {chunk}, x daemon", cost(syslog, "amphid", chunk) / cost(syslog, "daemon", chunk), 0.55
    yield "journal, relayed in bulk: ns", cost(journal, "amphid", "64K"), 60
    yield "runs in which something was lost", sum(
        figures[name][chunk]["lost"] for figures in (file, syslog, journal) for name in ("amphid", TIMED) if name in figures
        for chunk in CHUNKS), 0
