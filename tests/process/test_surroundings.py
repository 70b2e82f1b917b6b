"""What a unit is given before its processes and what is taken back behind them: directories, a transient user,
credentials (systemd.exec(5))."""
import os
import pathlib
import socket
import stat
import threading

import pytest

import sandbox
from lib import LONG

RUN = pathlib.Path("/run")
LIB = pathlib.Path("/var/lib")
PLACE = pathlib.Path("/run/amphid")


def properties(*values):
    return [word for value in values for word in ("-p", value)]


def inside(world, script, *values, name="web", code=0, **kw):
    """What a shell prints that is run with these directives."""
    return world.run("--mode=foreground", "-n", name, *properties(*values), "--", "sh", "-c",
                     script, code=code, **kw).out.strip()


def seen(path):
    """(owner, mode) of @path."""
    found = os.stat(path)
    return found.st_uid, stat.S_IMODE(found.st_mode)


def restarted(world, daemon, main):
    """The main process that follows after @main, when it is at work."""
    world.hold.watch = world.files.watch_opens(world.hold.path)
    main.kill(9)
    main.wait()
    world.until_held()
    return daemon.only_child()


# --- directories

@pytest.mark.root
@pytest.mark.private
def test_directories(world):
    """Made before the first command, told by variables; the runtime ones are gone behind the last."""
    out = inside(world, 'echo $RUNTIME_DIRECTORY $STATE_DIRECTORY $CACHE_DIRECTORY; stat -c "%u %a" /run/a/b /run/c '
                 '/var/lib/s /var/cache/k; readlink /run/d; touch /run/a/b/x /run/c/x /var/lib/s/x; stat -c %u /run/a',
                 f"User={sandbox.USER}", "RuntimeDirectory=a/b c:d", "RuntimeDirectoryMode=0700", "StateDirectory=s",
                 "CacheDirectory=k", "CacheDirectoryMode=0750")
    uid = sandbox.UID
    assert out.splitlines() == ["/run/a/b:/run/c /var/lib/s /var/cache/k", f"{uid} 700", f"{uid} 700", f"{uid} 755",
                                f"{uid} 750", "c", "0"]
    assert not (RUN / "a/b").exists() and not (RUN / "c").exists() and not (RUN / "d").is_symlink()
    assert (RUN / "a").is_dir() and seen(LIB / "s/x")[0] == uid


@pytest.mark.user
@pytest.mark.private
def test_directories_of_a_user(world):
    home, runtime = world.env["HOME"], world.env["XDG_RUNTIME_DIR"]
    script = "echo $RUNTIME_DIRECTORY $STATE_DIRECTORY $CACHE_DIRECTORY $LOGS_DIRECTORY $CONFIGURATION_DIRECTORY; " \
             "ls -d $RUNTIME_DIRECTORY $STATE_DIRECTORY $CACHE_DIRECTORY $LOGS_DIRECTORY $CONFIGURATION_DIRECTORY"
    wanted = [f"{runtime}/r", f"{home}/.local/state/s", f"{home}/.cache/k", f"{home}/.local/state/log/l", f"{home}/.config/c"]
    out = inside(world, script, "RuntimeDirectory=r", "StateDirectory=s", "CacheDirectory=k", "LogsDirectory=l",
                 "ConfigurationDirectory=c").splitlines()
    assert out[0].split() == wanted and sorted(out[1:]) == sorted(wanted)
    assert not os.path.exists(f"{runtime}/r") and os.path.isdir(wanted[1])


@pytest.mark.root
@pytest.mark.private
@pytest.mark.parametrize("key, base, code", [("RuntimeDirectory", "/run", 233), ("StateDirectory", "/var/lib", 238),
                                             ("CacheDirectory", "/var/cache", 239), ("LogsDirectory", "/var/log", 240)])
def test_a_file_in_the_way(world, key, base, code):
    """The start fails with systemd's exit status and says what is wrong."""
    way = pathlib.Path(base, "amphid-way")
    way.write_text("")
    run = world.fork("-n", "web", *properties(f"{key}=amphid-way/sub"), "--", "true").wait()
    assert run.code == code and f"{key}=amphid-way/sub: {way}/sub: Not a directory" in run.err
    way.unlink()


@pytest.mark.root
@pytest.mark.private
@pytest.mark.parametrize("preserve, kept", [("no", False), ("restart", True), ("yes", True)])
def test_runtime_directory_over_a_restart(world, preserve, kept):
    values = ("RuntimeDirectory=r", f"RuntimeDirectoryPreserve={preserve}", "Restart=always", "RestartSec=0",
              "StartLimitIntervalSec=0")
    with world.forked(*properties(*values)) as daemon:
        (RUN / "r/file").write_text("")
        main = restarted(world, daemon, daemon.only_child())
        assert (RUN / "r").is_dir() and (RUN / "r/file").exists() == kept
        (RUN / "r/file").write_text("")
        world.hold.watch = world.files.watch_opens(world.hold.path)
        world.run("restart", "web", code=0)
        world.until_held()
        assert (RUN / "r").is_dir() and (RUN / "r/file").exists() == kept
        world.run("stop", "web", code=0)
        assert (RUN / "r").exists() == (preserve == "yes")


@pytest.mark.root
@pytest.mark.private
def test_directories_before_each_command(world):
    """What one command has taken away is there again for the next."""
    out = inside(world, "stat -c '%u %a' /run/each", "RuntimeDirectory=each", f"User={sandbox.USER}",
                 "ExecStartPre=+/bin/rmdir /run/each", "ExecStopPost=+/bin/sh -c 'rmdir /run/each && echo first'",
                 "ExecStopPost=/bin/sh -c 'test -d /run/each && echo second'")
    assert out.splitlines() == [f"{sandbox.UID} 755", "first", "second"]
    assert not (RUN / "each").exists()


# --- transient users

@pytest.mark.root
@pytest.mark.private
def test_transient_user(world):
    """A number of its own, told by variables; what it owns stays behind a link, what it left elsewhere is gone."""
    values = ("DynamicUser=yes", "StateDirectory=dyn", "RuntimeDirectory=dyn")
    tmp = f"/tmp/amphid-left-{os.getpid()}"
    out = inside(world, 'id -u; id -ru; id -g; id -G; echo $USER $LOGNAME; touch /var/lib/dyn/state /dev/shm/left; '
                 'grep NoNewPrivs /proc/self/status; ipcmk -M 4096 >/dev/null; stat -c %u /run/dyn', *values).splitlines()
    uid = int(out[0])
    assert 61184 <= uid <= 65519
    assert out[1:] == [str(uid), str(uid), str(uid), "web web", "NoNewPrivs:\t1", str(uid)]
    assert os.readlink(LIB / "dyn") == "private/dyn" and seen(LIB / "private") == (0, 0o711)
    assert seen(LIB / "dyn/state")[0] == uid
    assert not os.path.exists("/dev/shm/left") and not os.path.exists(tmp)
    assert f" {uid} " not in pathlib.Path("/proc/sysvipc/shm").read_text()
    assert os.listdir(PLACE / "dynamic-uid") == []
    assert inside(world, "id -u; echo more >>/var/lib/dyn/state", *values) == str(uid)  # whose state it is
    assert inside(world, "id -u; ls /var/lib/private/dyn || cat /var/lib/dyn/state", "DynamicUser=yes", name="other") != str(uid)


@pytest.mark.root
@pytest.mark.private
def test_transient_user_lives_as_long_as_its_unit(world):
    values = properties("DynamicUser=yes", "Restart=always", "RestartSec=0", "StartLimitIntervalSec=0")
    with world.forked(*values) as daemon:
        main = daemon.only_child()
        uid, = os.listdir(PLACE / "dynamic-uid")
        assert main.status()["Uid"].split() == [uid] * 4
        main = restarted(world, daemon, main)
        assert main.status()["Uid"].split() == [uid] * 4
        # another unit with the same user's name shares it, one with another name does not
        assert inside(world, "id -u", "DynamicUser=yes", "User=web", name="second") == uid
        assert inside(world, "id -u", "DynamicUser=yes", name="third") != uid
        assert os.listdir(PLACE / "dynamic-uid") == [uid]
    assert os.listdir(PLACE / "dynamic-uid") == []


@pytest.mark.root
@pytest.mark.private
def test_transient_user_of_a_killed_instance(world):
    """Nothing has to be tidied up behind it."""
    world.fork("-n", "web", *properties("DynamicUser=yes"), "--", *world.holder()).wait(0)
    world.until_held()
    daemon = world.daemon("web")
    main, uid = daemon.only_child(), os.listdir(PLACE / "dynamic-uid")[0]
    daemon.kill(9)
    daemon.wait()
    main.wait()
    assert inside(world, "id -u", "DynamicUser=yes") == uid


@pytest.mark.user
@pytest.mark.private
def test_transient_user_without_root(world):
    run = world.fork("-n", "web", *properties("DynamicUser=yes"), "--", "true").wait()
    assert run.code == 217 and "DynamicUser=: web: only root can make up users" in run.err


@pytest.mark.root
@pytest.mark.private
def test_user_of_the_database(world):
    """It is taken instead; but a group alone is no user."""
    assert inside(world, "id -u", "DynamicUser=yes", f"User={sandbox.USER}") == str(sandbox.UID)
    run = world.fork("-n", "web", *properties("DynamicUser=yes", f"User={sandbox.EXTRA}"), "--", "true").wait()
    assert run.code == 217 and f"there is a group {sandbox.EXTRA}, but no user" in run.err


@pytest.mark.root
@pytest.mark.private
@pytest.mark.parametrize("remove", [True, False])
def test_remove_ipc(world, remove):
    """Of a user of the database only when it is asked for, and never root's."""
    inside(world, "ipcmk -M 4096 >/dev/null; touch /dev/shm/left", f"User={sandbox.USER}", f"RemoveIPC={remove}")
    path = pathlib.Path("/dev/shm/left")
    left = [line for line in pathlib.Path("/proc/sysvipc/shm").read_text().splitlines() if f" {sandbox.UID} " in line]
    assert path.exists() != remove and bool(left) != remove
    if not remove:  # by whoever asks for it: no process of the user runs any more
        inside(world, "true", f"User={sandbox.USER}", "RemoveIPC=yes")
        assert not path.exists()


# --- credentials

@pytest.mark.everyone
@pytest.mark.private
def test_credentials(world):
    """The unit's user reads them, others do not, and they go with it."""
    (world.work / "secret").write_text("of a file\n")
    values = [f"LoadCredential=file:{world.work}/secret", "SetCredential=text:a\\x20text\\n",
              "LoadCredential=missing:/nonexistent", "SetCredential=missing:default"]
    if world.who == "root":
        values.append(f"User={sandbox.USER}")
    out = inside(world, 'echo $CREDENTIALS_DIRECTORY; cd $CREDENTIALS_DIRECTORY; ls; cat *; stat -c %a . *; touch x', *values,
                 code=1).splitlines()
    place = world.base / "credentials/web"
    assert out == [str(place), "file", "missing", "text", "of a file", "defaulta text", "500", "400", "400", "400"]
    assert not place.exists() and world.base.exists() == (world.who == "root")


@pytest.mark.root
@pytest.mark.private
def test_credentials_are_of_one_life(world):
    secret = world.work / "secret"
    secret.write_text("one")
    values = properties(f"LoadCredential=k:{secret}", f"User={sandbox.USER}", "Restart=always", "RestartSec=0",
                        "StartLimitIntervalSec=0")
    with world.forked(*values) as daemon:
        mine = PLACE / "credentials/web/k"
        secret.write_text("two")
        assert mine.read_text() == "one" and seen(mine) == (sandbox.UID, 0o400)
        restarted(world, daemon, daemon.only_child())
        assert mine.read_text() == "two"
    assert not mine.parent.exists()


@pytest.mark.root
@pytest.mark.private
def test_missing_credential(world):
    run = world.fork("-n", "web", *properties("LoadCredential=k:/nonexistent"), "--", "true").wait()
    assert run.code == 243 and "LoadCredential=k:/nonexistent: No such file or directory" in run.err


@pytest.mark.root
@pytest.mark.private
def test_credential_of_a_socket(world):
    """It learns for which unit and which credential it is asked."""
    path, peers = world.dir / "vault", []
    with socket.socket(socket.AF_UNIX) as vault:
        vault.bind(str(path))
        vault.listen()
        vault.settimeout(LONG)

        def serve():
            connection, peer = vault.accept()
            peers.append(peer)
            connection.sendall(b"from the vault")
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        out = inside(world, "cat $CREDENTIALS_DIRECTORY/k", f"LoadCredential=k:{path}")
        thread.join()
    assert out == "from the vault" and peers[0].startswith(b"\0") and peers[0].endswith(b"/unit/web/k")


@pytest.mark.root
@pytest.mark.private
def test_names_of_places_are_no_instances(world):
    for name in ("credentials", "dynamic-uid"):
        run = world.run("-n", name, "--", "true")
        assert run.code != 0 and name in run.err
