"""As PID 1 of a container, as an ENTRYPOINT in exec form: what is not about processes, for which see test_tree.py."""
import os
import signal
import time

import pytest

from lib import COMMAND, LONG, Process, ms

pytestmark = pytest.mark.root


class Container:
    def __init__(self, world, *args, command, log=True, **kw):
        where = [f"--log=file:{world.log}"] if log else []
        self.world = world
        self.run = world.start(argv=["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", *COMMAND, *where,
                                     "-n", "web", *args, "--", *command], **kw)

    def init(self):
        """amphid. The COMMAND has said by now that it is up."""
        pid, = Process(self.world.pump, self.run.pid).children()
        return Process(self.world.pump, pid)

    def main(self):
        return self.init().only_child()


@pytest.mark.parametrize("name", ["HUP", "USR1", "USR2", "QUIT", "WINCH"])
def test_signals_are_handed_on(world, name):
    """`docker kill --signal=USR1` is meant for the program."""
    command, tell, gate = world.actor("HUP", "USR1", "USR2", "QUIT", "WINCH")
    container = Container(world, command=command)
    tell.expect("up")
    init = container.init()
    for _ in range(2):
        init.kill(getattr(signal, "SIG" + name))
        tell.expect("got " + name)
    assert init.alive() and init.only_child().alive()
    gate.say("exit 0")
    container.run.wait(0)


def test_reload_is_asked_for_by_sighup(world):
    """With ExecReload= that is what SIGHUP means."""
    command, tell, gate = world.actor("HUP", "USR1")
    container = Container(world, "-p", "ExecReload=/bin/kill -USR1 $MAINPID", command=command)
    tell.expect("up")
    container.init().kill(signal.SIGHUP)
    tell.expect("got USR1")
    assert "got HUP" not in tell.lines()
    gate.say("exit 0")
    container.run.wait(0)


def test_docker_stop_of_a_program_without_handler(world):
    """As PID 1 itself it would ignore SIGTERM and be killed after ten seconds; below us it ends: 128 + 15."""
    container = Container(world, command=world.holder())
    world.until_held()
    container.init().kill(signal.SIGTERM)
    container.run.wait(128 + signal.SIGTERM)


def test_docker_stop_of_a_deaf_program(world):
    command, tell, gate = world.actor("TERM")
    container = Container(world, "-p", f"TimeoutStopSec={ms(150)}", command=command)
    tell.expect("up")
    container.init().kill(signal.SIGTERM)
    tell.expect("got TERM")
    container.run.wait(128 + signal.SIGKILL)


def test_docker_kill(world):
    """SIGKILL of the init ends the namespace: the kernel sees to it."""
    container = Container(world, command=world.holder())
    world.until_held()
    init = container.init()
    main = init.only_child()
    init.kill(signal.SIGKILL)
    world.pump.until(lambda: main.gone and init.gone, "the end of both")
    container.run.wait()


def test_output_is_the_containers(world):
    """`docker logs` shows each stream of the program where it was written."""
    command, tell, gate = world.actor()
    container = Container(world, command=command, log=False)
    tell.expect("up")
    gate.say("out to stdout")
    gate.say("err to stderr")
    gate.say("exit 0")
    container.run.wait(0)
    assert "to stdout" in container.run.out and "to stderr" not in container.run.out
    assert "to stderr" in container.run.err and "to stdout" not in container.run.err


def test_stdin_is_the_containers(world):
    """`docker run -i`"""
    ours, theirs = os.pipe()
    os.write(theirs, b"hello\n")
    os.close(theirs)
    container = Container(world, command=["cat"], log=False, stdin=ours)
    os.close(ours)
    container.run.wait(0)
    assert "hello" in container.run.out


def test_environment_and_directory_are_the_containers(world):
    command, tell, gate = world.actor()
    container = Container(world, command=command, env={"POSTGRES_PASSWORD": "x y=z"})
    tell.expect("up")
    main = container.main()
    assert main.environ()["POSTGRES_PASSWORD"] == "x y=z" and main.cwd() == str(world.work)
    gate.say("exit 0")
    container.run.wait(0)


@pytest.mark.no_wrapper
def test_a_program_that_is_not_there(world):
    run = Container(world, command=["/no/such/program"]).run.wait(203)
    assert "/no/such/program" in run.err


def test_restart_within_the_container(world):
    """--restart: the container lives on, until the last life has ended as nothing restarts."""
    lives = world.work / "lives"
    script = f"echo x >> {lives}; [ $(wc -l < {lives}) = 3 ] && exit 0; exit 7"
    Container(world, "--restart=on-failure", "-p", "RestartSec=0", command=["sh", "-c", script]).run.wait(0)
    assert lives.read_text() == "x\n" * 3


def test_orphans_do_not_end_it(world):
    """What the program has left to init comes and goes; only the main process counts."""
    command, tell, gate = world.actor()
    script = 'for i in 1 2 3 4 5; do (setsid true &); done; exec "$@"'
    container = Container(world, "-p", "KillMode=process", command=["sh", "-c", script, "sh", *command])
    tell.expect("up")
    init = container.init()
    end = time.monotonic() + LONG
    while len(init.children()) > 1:  # nobody tells us of their end: they are reaped by another
        assert time.monotonic() < end, init.children()
    gate.say("exit 3")
    container.run.wait(3)
