"""A private /run, /var/log, /var/lib, /var/cache, /dev and user database for the whole test run.

The paths an init system's world is made of are fixed (/dev/log, /run/systemd/journal/socket, /run/amphid), so root
gets a mount namespace in which they are empty and ours. Without root, or where the kernel refuses, the tests that
need this are skipped and say so.
"""
import ctypes
import os
import pathlib
import tempfile

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_CHILD_SUBREAPER = 36
CAP_SYS_RESOURCE = 24

# One user, two groups that only list it as a member. The number is far from Debian's own.
UID = 61000 + os.getpid() % 3000
EXTRA_GID, MORE_GID = UID + 3000, UID + 3001
USER, EXTRA, MORE = "amphid-t", "amphid-extra", "amphid-more"
HOME = "/run/home/amphid-t"
NOBODY = 65534

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def mount(source, target, fstype=None, flags=0, data=None):
    check(libc.mount(source.encode(), str(target).encode(), fstype and fstype.encode(),
                     ctypes.c_ulong(flags), data and data.encode()))


def capable(capability):
    """Has this process the capability? Root in a container may lack one."""
    status = pathlib.Path("/proc/self/status").read_text()
    return bool(int(status.split("CapEff:")[1].split()[0], 16) & 1 << capability)


def become_subreaper():
    """Daemons that lose their parents become ours: nothing escapes, and their exit status can be seen."""
    check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def private_dev():
    """A /dev that is not shared with the host, so that a socket /dev/log can be made in it."""
    new = pathlib.Path(tempfile.mkdtemp(prefix="amphid-dev-"))
    mount("tmpfs", new, "tmpfs", data="mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (new / name).touch()
        mount(f"/dev/{name}", new / name, flags=MS_BIND)
    for name, fstype, data in (("pts", "devpts", "newinstance,ptmxmode=0666,mode=620"), ("shm", "tmpfs", "mode=1777")):
        (new / name).mkdir()
        mount(fstype, new / name, fstype, data=data)
    (new / "ptmx").symlink_to("pts/ptmx")
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (new / name).symlink_to("/proc/self/fd" + target)
    mount(str(new), "/dev", flags=MS_BIND | MS_REC)
    check(libc.umount2(str(new).encode(), 2))
    new.rmdir()


def private_accounts():
    for path, lines in (("/etc/passwd", [f"{USER}:x:{UID}:{UID}::{HOME}:/bin/sh"]),
                        ("/etc/group", [f"{USER}:x:{UID}:", f"{EXTRA}:x:{EXTRA_GID}:{USER}", f"{MORE}:x:{MORE_GID}:"])):
        ours = pathlib.Path("/run", os.path.basename(path))
        names = tuple(f"{name}:" for name in (USER, EXTRA, MORE))  # a worker of a parallel run finds those of who started it
        others = [line for line in pathlib.Path(path).read_text().splitlines() if not line.startswith(names)]
        ours.write_text("".join(line + "\n" for line in others + lines))
        ours.chmod(0o644)
        mount(str(ours), path, flags=MS_BIND)


def enter():
    """Makes everything private. Returns None, or why it cannot be."""
    if os.geteuid() != 0:
        return "needs root (a mount namespace with a private /run and /dev)"
    try:
        check(libc.unshare(CLONE_NEWNS))
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
        for path in ("/run", "/var/log", "/var/lib", "/var/cache"):
            mount("tmpfs", path, "tmpfs", data="mode=755")
        private_dev()
        os.makedirs(HOME)
        os.chown(HOME, UID, UID)
        private_accounts()
    except OSError as error:
        return f"needs a mount namespace, and the kernel refuses: {error}"
    return None


def become_user():
    """Root that may not make a mount namespace (in a container, mostly) goes on as a user, for whom none is needed: the same
    one each time, to whom what pytest keeps in /tmp belongs."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def cgroup_root():
    """The directory of our own cgroup of version 2, None: there is none that we may write to."""
    own = [line[3:] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines() if line[:4] == "0::/"]
    for mount_ in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if own and pathlib.Path(mount_, "cgroup.procs").exists() and os.access(mount_ + own[0], os.W_OK):
            return pathlib.Path(mount_ + own[0])
    return None


def hide_cgroups():
    """To be called before an exec, in what enter() has made private: what comes then finds no cgroup, nor can it make one."""
    check(libc.unshare(CLONE_NEWNS))
    mount("none", "/sys/fs/cgroup", "tmpfs")


def enter_cgroup():
    """A cgroup for this process and all that it starts: below one that two workers share, the instances of one name would find
    what is left of each other's. Returns it; None: there is none to be had."""
    root = cgroup_root()
    if not root:
        return None
    home = root / f"amphid-tests-{os.getpid()}"
    try:
        home.mkdir()
        (home / "cgroup.procs").write_text("0")
    except OSError:
        return None
    return home


def remove_cgroup(path):
    """With what is directly below."""
    for child in [*filter(pathlib.Path.is_dir, path.iterdir()), path]:
        child.rmdir()


def leave_cgroup(home):
    """Removes it, with the empty ones that killed instances have left."""
    (home.parent / "cgroup.procs").write_text("0")
    remove_cgroup(home)
