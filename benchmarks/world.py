"""The private world of a run: its own mounts and PIDs, so that nothing of the host is touched and nothing outlives it."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

SCRATCH = "/run/amphid-bench"
STAMP = f"{SCRATCH}/stamp"
MARK = "BENCH_CONTESTANT"
HERE = pathlib.Path(__file__).resolve().parent
BIN = HERE / "results" / "bin"


def enter(arguments):
    """Executes this program again, in namespaces of its own and with a bare environment. Never returns. A shell is their
    init: daemon(1) stays in the foreground when its parent is PID 1, so that must not be us."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                   "LANG": "C.UTF-8"}
    os.execve(shutil.which("unshare"), ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
              "sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-B", os.path.abspath(sys.argv[0]), "--inside", *arguments], environment)


def furnish(amphid):
    """An empty /run and /var/log: no journal, no syslog, no instances; amphid logs to its file. Returns the copy of @amphid
    that is measured: a linker writes a program in pieces, and in pieces its pages lie in the cache and are mapped; the
    peers were installed."""
    for place in "/run", "/var/log":
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    if os.path.exists("/dev/log"):
        subprocess.run(["mount", "--bind", "/dev/null", "/dev/log"], check=True)
    os.mkdir(SCRATCH)
    BIN.mkdir(parents=True, exist_ok=True)
    subprocess.run(["make", "-s", "-B", "-C", HERE / "src", f"OUT={BIN}", f"STAMP={STAMP}"], check=True)
    installed = shutil.copy(amphid, BIN / "amphid")
    os.sync()  # pages of a file not yet written count as dirty in whoever maps it
    return str(installed)


def fill(template, contestant, amphid, command, round_="0"):
    where = f"{SCRATCH}/{re.sub('[^a-z0-9]', '-', contestant.name)}-{os.path.basename(command)}-{round_.strip('{}')}"
    if not os.path.isdir(where):
        os.mkdir(where)
        contestant.prepare(where, command)
    return [word.format(command=command, bin=BIN, dir=where, amphid=amphid, round=round_) for word in template.split()]


def start(name, argv, **more):
    null = subprocess.DEVNULL
    return subprocess.Popen(argv, env=dict(os.environ, **{MARK: name}), cwd="/", stdin=null, stdout=null, stderr=null,
                            **more)


def parent(pid):
    with open(f"/proc/{pid}/stat") as f:
        return int(f.read().rpartition(")")[2].split()[1])


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


def marked(amphid=None):
    """PID and contestant of every process that one of ours has started. amphid blanks its environment, and so its mark: it is
    found as its COMMAND's parent, or, where there is no COMMAND just then, as the executable @amphid."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if amphid and executable(pid) == amphid:
                found.setdefault(int(pid), "amphid")
            mark = re.search(rf"(?:^|\0){MARK}=([^\0]*)".encode(), pathlib.Path(f"/proc/{pid}/environ").read_bytes())
            if mark:
                found[int(pid)] = mark[1].decode()
                if parent(pid) not in (0, 1, os.getpid()):
                    found.setdefault(parent(pid), mark[1].decode())
        except OSError:
            continue
    return list(found.items())


def clear(amphid=None):
    """Ends all that was started."""
    while pids := [pid for pid, _ in marked(amphid)]:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    if os.path.exists(STAMP):
        os.unlink(STAMP)


def cgroups():
    """Those that instances of amphid have made below ours: one that is killed leaves its own behind."""
    own = re.search("^0::(.*)$", pathlib.Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    mounts = pathlib.Path("/sys/fs/cgroup"), pathlib.Path("/sys/fs/cgroup/unified")
    return {path for mount in mounts if own for path in (mount / own[1].strip("/")).glob("amphid-*")}


def tidy(before):
    """Removes the cgroups that were not there @before."""
    for path in cgroups() - before:
        try:
            path.rmdir()
        except OSError:
            pass  # somebody else's, who lives


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()
