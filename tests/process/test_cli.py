"""The command line: what is wrong is said in one line, exit 2; nothing is started."""
import json
import os
import re
import subprocess

import pytest

from lib import AMPHID

USAGE_ERRORS = {
    "unknown long option": ["--no-such-option"],
    "unknown short option": ["-Z", "--", "true"],
    "unknown verb": ["frobnicate"],
    "command without --": ["true"],
    "missing command": ["--fork", "--"],
    "missing argument": ["-n"],
    "missing argument of a long option": ["--pidfile"],
    "argument of a flag": ["--fork=yes", "--", "true"],
    "unknown property": ["-p", "NoSuchDirective=1", "--", "true"],
    "property without a value": ["-p", "User", "--", "true"],
    "bad type": ["-p", "Type=dbus", "--", "true"],
    "bad nice": ["-p", "Nice=99", "--", "true"],
    "bad nice option": ["--nice=x", "--", "true"],
    "bad umask": ["-p", "UMask=999", "--", "true"],
    "bad timespan": ["-p", "TimeoutStartSec=soon", "--", "true"],
    "bad signal": ["-p", "KillSignal=SIGNOTHING", "--", "true"],
    "bad limit": ["-p", "LimitNOFILE=5:3", "--", "true"],
    "bad oom score": ["-p", "OOMScoreAdjust=1001", "--", "true"],
    "bad boolean": ["-p", "NoNewPrivileges=maybe", "--", "true"],
    "bad environment": ["-p", "Environment=1A=x", "--", "true"],
    "unfinished quote": ["-p", "Environment='A=x", "--", "true"],
    "relative directory": ["-p", "WorkingDirectory=here", "--", "true"],
    "relative environment file": ["-p", "EnvironmentFile=here", "--", "true"],
    "bad setenv": ["--setenv", "=x", "--", "true"],
    "bad name": ["-n", "a/b", "--", "true"],
    "empty name": ["-n", "", "--", "true"],
    "dots as a name": ["-n", "..", "--", "true"],
    "long name": ["-n", "x" * 300, "--", "true"],
    "bad log": ["--log=nowhere", "--", "true"],
    "log file without a path": ["--log=file:", "--", "true"],
    "bad mode": ["--mode=sometimes", "--", "true"],
    "fork and foreground": ["--fork", "--mode=foreground", "--", "true"],
    "fork and systemd": ["--fork", "--mode=systemd", "--", "true"],
    "fork and stderr": ["--fork", "--log=stderr", "--", "true"],
    "stop without a name": ["stop"],
    "stop with two": ["stop", "a", "b"],
    "status of a bad name": ["status", "a/b"],
    "wait without a name": ["wait"],
    "restart without a name": ["restart"],
    "inspect without a pid": ["inspect"],
    "inspect of no number": ["inspect", "me"],
    "inspect of a negative": ["inspect", "-1"],
    "list with an argument": ["list", "web"],
    "bad option of a verb": ["status", "--fork"],
}


@pytest.mark.parametrize("what", USAGE_ERRORS)
def test_usage_errors(world, what):
    run = world.run(*USAGE_ERRORS[what], code=2)
    assert run.out == "" and len(run.err.splitlines()) == 1 and run.err.startswith("amphid: "), run
    assert not world.base.exists() or list(world.base.iterdir()) == [], "nothing was begun"


@pytest.mark.parametrize("args, word", [
    (["--no-such-option"], "--no-such-option"), (["frobnicate"], "frobnicate"),
    (["-p", "NoSuchDirective=1", "--", "true"], "NoSuchDirective"), (["-p", "Nice=99", "--", "true"], "Nice"),
    (["-n", "a/b", "--", "true"], "a/b"), (["--mode=sometimes", "--", "true"], "sometimes"),
    (["--log=nowhere", "--", "true"], "nowhere"), (["-p", "KillSignal=SIGNOTHING", "--", "true"], "SIGNOTHING"),
])
def test_the_line_names_what_is_wrong(world, args, word):
    assert word in world.run(*args, code=2).err


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_fits_a_screen(world, option):
    run = world.run(option, code=0)
    lines = run.out.splitlines()
    assert run.err == "" and 10 < len(lines) <= 24 and max(map(len, lines)) <= 80
    for word in ("--fork", "--name", "--pidfile", "--property", "--log", "--trace", "--mode", "--no-wait", "status",
                 "list", "stop", "reload", "wait", "detect", "inspect", "--json", "--version"):
        assert word in run.out, word


def test_version(world):
    assert re.fullmatch(r"amphid \d+\.\d+\.\d+\n", world.run("--version", code=0).out)


def test_options_of_the_command_are_its_own(world):
    assert world.run("--", "echo", "--fork", "-n", "--", "x", code=0).out == "--fork -n -- x\n"


def test_a_full_disk_is_noticed(world):
    with open("/dev/full", "w") as full:
        done = subprocess.run([AMPHID, "--version"], stdout=full, stderr=subprocess.PIPE, timeout=20)
    assert done.returncode == 1 and done.stderr.startswith(b"amphid: ")


def test_inspect(world):
    with world.forked() as daemon:
        run = world.run("inspect", str(daemon.pid), code=0)
        for word in ("parent", "session", "group", "terminal", "umask", "descriptors"):
            assert word in run.out.lower(), word
        assert str(daemon.pid) in run.out and str(os.getpid()) in run.out
        json.loads(world.run("inspect", str(daemon.pid), "--json", code=0).out)


def test_inspect_judges(world):
    """A process on our session, in its own directory, is no daemon; ours is."""
    other = world.start(argv=world.holder())
    bad = world.run("inspect", str(other.pid))
    with world.forked() as daemon:
        good = world.run("inspect", str(daemon.pid))
    assert bad.out.count("ok") < good.out.count("ok")
    other.kill()
    other.wait()


def test_inspect_nobody(world):
    child = world.start(argv=["true"]).wait()
    run = world.run("inspect", str(child.pid))
    assert run.code not in (0, 2) and len(run.err.splitlines()) == 1


def test_the_library_is_not_linked(world):
    """libsystemd is opened on demand."""
    done = subprocess.run(["ldd", AMPHID], capture_output=True, text=True)
    assert "libc" in done.stdout and "libsystemd" not in done.stdout
