"""The LSB init script under a booted sysvinit, OpenRC and runit, with a real syslogd."""
import signal

import pytest

import waiting
from instance import Instance, in_order

ONLY = ('sysvinit', 'openrc', 'runit')


def test_service_verbs(world):
    w = world
    assert w.service('start').returncode == 0, 'the start of a running service succeeds'
    assert w.service('status').returncode == 0
    first = Instance(w, 'amphid')
    assert first.status()['mode'] == 'fork' and first.status()['statusText'] == 'no jobs'
    assert w.service('force-reload').returncode == 0 and w.running(first.pid)
    assert w.service('reload').returncode == 0 and w.running(first.pid)
    assert w.service('restart').returncode == 0
    second = Instance(w, 'amphid')
    assert second.pid != first.pid and not w.running(first.pid)
    assert w.service('stop').returncode == 0
    w.wait_gone(second.pid)
    assert w.service('status').returncode == 3
    assert w.service('stop').returncode == 0, 'the stop of a stopped service succeeds'
    assert w.service('reload').returncode == 7
    assert w.service('try-restart').returncode == 0 and w.service('status').returncode == 3
    assert w.service('nonsense').returncode == 2
    assert w.service('start').returncode == 0


def test_status_of_the_dead(world):
    w = world
    assert w.service('start').returncode == 0
    i = Instance(w, 'amphid')
    w.kill(i.pid, signal.SIGKILL)
    w.wait_gone(i.pid)
    assert w.service('status').returncode == 1
    assert w.service('start').returncode == 0
    assert w.service('status').returncode == 0


def test_only_root_may(world):
    assert world.run(['/etc/init.d/amphid', 'stop'], user='alice', check=False).returncode == 4
    assert world.run(['/etc/init.d/amphid', 'status'], user='alice', check=False).returncode == 0


def test_lines_in_the_file_of_the_syslogd(world):
    """The raw text, as somebody with grep sees it."""
    w = world
    assert w.service('restart').returncode == 0
    pid = Instance(w, 'amphid').pid
    w.records('amphid', until='ready')
    wanted = f'amphid[{pid}]: name=amphid stage=ready '
    line = next(x for x in w.read('/var/log/daemon.log').splitlines() if wanted in x)
    _ppid, number, group, session, _tty = w.identity(pid)
    assert f' ppid=1 pid={number} pgid={group} sid={session} tty=- ' in line
    assert wanted not in w.read('/var/log/auth.log')


def test_comes_and_goes_with_the_machine(empty_world, deb):
    """A real change of runlevel: down with single user's, up again with the second."""
    w = empty_world
    if w.name == 'runit':
        pytest.skip('runit has no runlevels')
    w.install(deb(w.suite))
    # There is no console for the shell of single user's: without it init goes on to runlevel 2 by itself.
    w.run("sed -i '/sulogin/d' /etc/inittab && telinit q")
    if w.name == 'openrc':  # it stops what it has started itself, and the package was started by invoke-rc.d(8)
        w.run(['rc-update', '--update'])  # what it knows of scripts goes by whole seconds, and it was booted in this one
        w.run(['openrc', 'default'])
    first = Instance(w, 'amphid').pid
    w.run(['telinit', '1'])
    w.wait_gone(first)
    # Nothing is run in the world meanwhile: killall5 stops all processes for a moment, nsenter for good.
    pid_file = '/run/amphid/amphid/pid'
    waiting.until(lambda: w.exists(pid_file) and w.read(pid_file).strip() not in ('', str(first)), 'runlevel 2', 30)
    waiting.until(lambda: w.exists('/run/amphid/amphid/control'), 'the new instance')
    assert w.running(Instance(w, 'amphid').pid)
    in_order(['stopping', 'stopped'], [r for r in w.records('amphid') if r['pid'] == str(first)])
