"""Fixtures: a world of its own for each test.

  AMPHID=/path/to/amphid /usr/bin/python3 -m pytest tests/process

AMPHID_WRAPPER is put before it (for example "valgrind -q --error-exitcode=99 --log-file=/tmp/valgrind/%p": what
valgrind has to say must not stand between the lines of amphid), AMPHID_TIMEOUT_FACTOR multiplies every time limit.

A test gets `world`; it runs as whoever runs pytest. Marked with `everyone` it runs as root, as a user, and as a user
without XDG_RUNTIME_DIR; with `root` or `user` as that one. A test that leaves a process fails.
"""
import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import lib  # noqa: E402
import sandbox  # noqa: E402
from world import World, clean_fixed_paths  # noqa: E402

WHY_NOT_PRIVATE = sandbox.enter()
if WHY_NOT_PRIVATE and os.geteuid() == 0:
    sandbox.become_user()
CGROUP = sandbox.enter_cgroup()
WHO = ("root", "user", "bare")
MARKS = {
    "everyone": "run as root, as a user, and as a user without XDG_RUNTIME_DIR",
    "root": "run as root",
    "user": "run as a user",
    "private": "needs the fixed paths (/dev/log, /run/systemd) to be ours",
    "no_wrapper": "is about what a wrapper such as valgrind changes (descriptors, signals, wake-ups; vfork is fork)",
}


def pytest_configure(config):
    for name, what in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {what}")
    sandbox.become_subreaper()
    # What pytest's own caller ignores or blocks must not decide what the tests see.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell has put us into the background
    os.umask(0o022)


def pytest_unconfigure():
    if CGROUP:
        sandbox.leave_cgroup(CGROUP)


def pytest_generate_tests(metafunc):
    if "world" in metafunc.fixturenames:
        mine = "root" if os.geteuid() == 0 else "user"
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        everyone = "everyone" in marks and not lib.WRAPPER  # a wrapper is slow, and what it looks for the same for all
        who = WHO if everyone else [w for w in WHO if w in marks] or [mine]
        metafunc.parametrize("world", who, indirect=True)


def why_not(who, marks):
    if not os.access(lib.AMPHID, os.X_OK):
        return f"AMPHID={lib.AMPHID} is no program"
    if WHY_NOT_PRIVATE and (who == "root" or "private" in marks):
        return WHY_NOT_PRIVATE
    if "no_wrapper" in marks and lib.WRAPPER:
        return "AMPHID_WRAPPER changes what this looks at"
    return None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed half-way leaves processes: its failure is what matters then."""
    outcome = yield
    if call.when == "call":
        item.failed = outcome.get_result().failed


@pytest.fixture
def world(request):
    who = request.param
    reason = why_not(who, {mark.name for mark in request.node.iter_markers()})
    if reason:
        (pytest.fail if "is no program" in reason else pytest.skip)(reason)
    surroundings = World(who)
    yield surroundings
    left = surroundings.close()
    if not WHY_NOT_PRIVATE:
        clean_fixed_paths()
    if left and not getattr(request.node, "failed", False):
        pytest.fail("processes left over:\n" + "\n".join(left))
