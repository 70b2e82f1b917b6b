"""The PID file: locked for the daemon's life, replaced if stale, refused if alive."""
import fcntl
import os
import re
import signal

import pytest

import sandbox
from lib import COMMAND


def locked(path):
    """Does somebody else hold a lock on @path, of whichever kind?"""
    with open(path) as f:
        try:
            fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(f, fcntl.LOCK_UN)
        inode = os.fstat(f.fileno()).st_ino
        with open("/proc/locks") as locks:
            return any(line.split()[-3].endswith(f":{inode}") for line in locks)


def plant(world, text, name="web"):
    """A PID file that somebody left behind."""
    path = world.pidfile(name)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    for p in (path.parent.parent, path.parent, path):
        os.chown(p, world.uid, world.uid)
    if world.who == "bare":
        world.base.chmod(0o700)
    return path


def bystander(world):
    """A program of the same user that has nothing to do with amphid."""
    run = world.start(argv=world.holder())
    return run


def end(run):
    run.kill()
    run.wait()


@pytest.mark.everyone
def test_content_and_lock(world):
    with world.forked() as daemon:
        path = world.pidfile("web")
        assert path.read_text() == f"{daemon.pid}\n"
        assert locked(path)
        assert path.stat().st_mode & 0o777 == 0o644
        assert path.stat().st_uid == world.uid


def test_it_is_there_before_the_starter_returns(world):
    """Even before the command runs: it finds it itself."""
    script = f"cat {world.pidfile('web')} > {world.work}/seen; ps -o ppid= -p $$ >> {world.work}/seen"
    world.fork("-n", "web", "-p", "Type=oneshot", "--", "sh", "-c", script).wait(0)
    seen, parent = (world.work / "seen").read_text().split()
    assert seen == parent


@pytest.mark.everyone
def test_refused_if_alive(world):
    with world.forked() as daemon:
        run = world.fork("-n", "web", "--", *world.holder()).wait(1)
        assert f"already running as PID {daemon.pid}" in run.err
        assert len(run.err.splitlines()) == 1
        assert world.pidfile("web").read_text() == f"{daemon.pid}\n" and daemon.alive()
        assert world.run("status", "web", code=0)


def test_refused_in_the_foreground_too(world):
    with world.forked() as daemon:
        run = world.run("-n", "web", "--", *world.holder(), code=1)
        assert f"already running as PID {daemon.pid}" in run.err


@pytest.mark.everyone
def test_a_stale_one_is_replaced(world):
    with world.forked() as first:
        child = first.only_child()
        first.kill(signal.SIGKILL)
        first.wait()
        child.wait()  # it has heard of its daemon's end
        assert world.pidfile("web").exists()
        world.run("status", "web", code=1)
        with world.forked() as second:
            assert second.pid != first.pid


@pytest.mark.everyone
def test_the_pid_of_another_program(world):
    """The PID was reused: alive, but it is not us."""
    other = bystander(world)
    plant(world, f"{other.pid}\n")
    assert world.run("status", "web").code == 1
    with world.forked() as daemon:
        assert world.pidfile("web").read_text() == f"{daemon.pid}\n"
    assert not other.ended()
    end(other)


def test_stop_does_not_hit_another_program(world):
    other = bystander(world)
    plant(world, f"{other.pid}\n")
    world.run("stop", "web", code=0)
    world.run("reload", "web", code=7)
    world.pump.never(other.ended, "the end of the bystander")
    end(other)


@pytest.mark.parametrize("text", ["", "garbage\n", "-1\n", "0\n", "99999999999999999999\n", "\0" * 5000])
def test_garbage_is_replaced(world, text):
    plant(world, text)
    assert world.run("status", "web").code == 1
    with world.forked() as daemon:
        assert world.pidfile("web").read_text() == f"{daemon.pid}\n"


@pytest.mark.everyone
def test_a_symbolic_link_is_not_followed(world):
    victim = world.work / "victim"
    victim.write_text("precious\n")
    os.chown(victim, world.uid, world.uid)
    plant(world, "").unlink()
    world.pidfile("web").symlink_to(victim)
    run = world.fork("-n", "web", "--", *world.holder()).wait()
    assert victim.read_text() == "precious\n"
    if run.code == 0:  # replaced: then it is a file of ours now
        assert not world.pidfile("web").is_symlink()
        daemon = world.daemon("web")
        daemon.kill()
        daemon.wait()
    else:
        assert run.code == 1 and str(world.pidfile("web")) in run.err


# --- --pidfile=PATH

@pytest.mark.everyone
def test_one_more_pidfile(world):
    path = world.work / "more.pid"
    with world.forked(f"--pidfile={path}") as daemon:
        assert path.read_text() == f"{daemon.pid}\n"
        assert locked(path)
        assert path.stat().st_mode & 0o777 == 0o644
        run = world.fork("-n", "other", f"--pidfile={path}", "--", *world.holder()).wait(1)
        assert f"already running as PID {daemon.pid}" in run.err
        assert not world.pidfile("other").exists()
    assert not path.exists()


def test_pidfile_is_relative_to_the_caller(world):
    with world.forked("--pidfile", "here.pid") as daemon:
        assert (world.work / "here.pid").read_text() == f"{daemon.pid}\n"
    assert not (world.work / "here.pid").exists()


def test_pidfile_that_cannot_be_written(world):
    run = world.fork("-n", "web", "--pidfile=/no/such/directory/web.pid", "--", *world.holder()).wait(1)
    assert run.err.startswith("amphid: web: ") and "/no/such/directory/web.pid" in run.err
    assert not world.pidfile("web").exists()


@pytest.mark.everyone
def test_pidfile_symlink_is_not_followed(world):
    victim = world.work / "victim"
    victim.write_text("precious\n")
    os.chown(victim, world.uid, world.uid)
    path = world.work / "link.pid"
    path.symlink_to(victim)
    run = world.fork("-n", "web", f"--pidfile={path}", "--", *world.holder()).wait()
    assert victim.read_text() == "precious\n"
    if run.code == 0:
        assert not path.is_symlink()
        daemon = world.daemon("web")
        daemon.kill()
        daemon.wait()
    else:
        assert run.code == 1 and str(path) in run.err


@pytest.mark.everyone
def test_pidfile_in_a_directory_that_others_may_write(world):
    """Whoever may write there could put any PID before root's `kill`: refused, with the reason."""
    open_dir = world.work / "open"
    open_dir.mkdir()
    open_dir.chmod(0o777)
    os.chown(open_dir, world.uid, world.uid)
    path = open_dir / "web.pid"
    run = world.fork("-n", "web", f"--pidfile={path}", "--", *world.holder()).wait(1)
    assert str(path) in run.err or str(open_dir) in run.err
    assert not path.exists() and not world.pidfile("web").exists()


@pytest.mark.root
def test_somebody_elses_pidfile_is_not_written(world):
    """A user must not aim root's lock or pid at a file of his."""
    path = world.work / "theirs.pid"
    path.write_text("1\n")
    os.chown(path, sandbox.UID, sandbox.UID)
    run = world.fork("-n", "web", f"--pidfile={path}", "--", *world.holder()).wait()
    if run.code == 0:
        assert path.stat().st_uid == 0, "a PID file that somebody else can rewrite"
        daemon = world.daemon("web")
        daemon.kill()
        daemon.wait()
    else:
        assert run.code == 1 and str(path) in run.err


@pytest.mark.root
def test_pidfile_in_somebody_elses_directory(world):
    """Its owner may put another number there, and root's `kill` would believe it."""
    theirs = world.work / "theirs"
    theirs.mkdir()
    os.chown(theirs, sandbox.UID, sandbox.UID)
    run = world.fork("-n", "web", f"--pidfile={theirs}/web.pid", "--", *world.holder()).wait(1)
    assert str(theirs) in run.err
    assert list(theirs.iterdir()) == []


@pytest.mark.root
@pytest.mark.private
@pytest.mark.parametrize("kind", [fcntl.LOCK_EX, fcntl.LOCK_SH], ids=["exclusive", "shared"])
def test_a_lock_of_another_user_keeps_nobody_from_starting(world, kind):
    """Everybody may read a PID file, so everybody may flock(2) it; that is no running instance."""
    plant(world, "").chmod(0o644)
    with open(world.pidfile("web")) as f:
        fcntl.flock(f, kind)
        with world.forked() as daemon:
            assert world.pidfile("web").read_text() == f"{daemon.pid}\n"


@pytest.mark.root
@pytest.mark.private
def test_the_tmp_directory_of_a_user_must_be_his_own(world):
    """/tmp/amphid-UID made by somebody else before: refused."""
    path = f"/tmp/amphid-{sandbox.UID}"
    os.mkdir(path)
    try:
        run = world.fork("-n", "web", "--", *world.holder(), user=sandbox.UID, group=sandbox.UID, extra_groups=[],
                         log=False, env={"HOME": sandbox.HOME}).wait()
        assert run.code in (1, 4) and path in run.err, run
        assert os.listdir(path) == []
    finally:
        os.rmdir(path)


# --- races

@pytest.mark.everyone
def test_fifty_starters_one_wins(world):
    """All wait for the same pipe to be closed, then start."""
    reader, writer = os.pipe()
    script = 'read x <&9; exec 9<&-; exec "$@"'
    argv = ["sh", "-c", script, "sh", *COMMAND, "--fork", "-n", "race", f"--log=file:{world.log}", "--",
            *world.holder()]

    def gate():
        os.dup2(reader, 9)

    runs = [world.start(argv=argv, preexec_fn=gate, close_fds=False) for _ in range(50)]
    os.close(reader)
    os.close(writer)
    for run in runs:
        run.wait()
    daemon = world.daemon("race")
    winners = [run for run in runs if run.code == 0]
    assert len(winners) == 1, [str(run) for run in runs if run.code not in (0, 1)] or len(winners)
    for run in runs:
        if run not in winners:
            # The loser may look before the winner has written its number: then there is none to tell.
            assert run.code == 1 and re.search(rf"already running( as PID {daemon.pid}\b|:)", run.err), run
    assert len(daemon.children()) == 1
    daemon.kill()
    assert daemon.wait() == 0
    assert world.leftovers() == []


def test_start_while_the_old_one_stops(world):
    """A new start never sees a half-removed instance: it is refused, or it runs and its PID file stays."""
    for _ in range(10):
        world.fork("-n", "web", "--", *world.holder()).wait(0)
        old = world.daemon("web")
        old.kill()
        run = world.fork("-n", "web", "--", *world.holder()).wait()
        old.wait()
        if run.code:
            assert re.search(rf"already running( as PID {old.pid}\b|:)", run.err), run
            continue
        new = world.daemon("web")
        assert new.pid != old.pid and locked(world.pidfile("web"))
        world.run("status", "web", code=0)
        new.kill()
        assert new.wait() == 0
