"""The package comes, is upgraded, goes and is purged: nothing left behind, nobody's service stopped by surprise."""
import json
import re
import subprocess

import pytest

from instance import started


@pytest.fixture(scope='session')
def newer(deb, tmp_path_factory):
    """suite -> the same package with a higher version."""
    made = {}

    def get(suite):
        if suite not in made:
            tmp = tmp_path_factory.mktemp(suite)
            subprocess.run(['dpkg-deb', '-R', str(deb(suite)), f'{tmp}/x'], check=True)
            control = (tmp / 'x/DEBIAN/control').read_text()
            lines = [line + '+newer1' if line.startswith('Version:') else line for line in control.splitlines()]
            (tmp / 'x/DEBIAN/control').write_text('\n'.join(lines) + '\n')
            made[suite] = tmp / 'newer.deb'
            subprocess.run(['dpkg-deb', '--root-owner-group', '-b', f'{tmp}/x', str(made[suite])], check=True,
                           stdout=subprocess.DEVNULL)
        return made[suite]
    return get


def files(w):
    """Everything in / and /run but what may change: dpkg's own records, caches, the journal, what systemd keeps."""
    skip = ('/var/lib/dpkg', '/var/cache', '/var/log/journal', '/run/log', '/run/systemd', '/run/host')
    prune = ' -o '.join(f'-path {p}' for p in skip)
    out = w.run(f'find / /run -xdev \\( {prune} \\) -prune -o -print', timeout=60).stdout
    # insserv numbers the links of all init scripts anew when one comes or goes.
    return {re.sub(r'(/rc.\.d/[SK])\d\d', r'\1', line) for line in out.splitlines()}


def resident(w):
    """The PID of the resident daemon, or None."""
    r = w.run(['amphid', 'status', 'amphid', '--json'], check=False)
    return json.loads(r.stdout).get('pid') if r.returncode == 0 else None


def test_life_of_the_package(empty_world, deb, newer):
    w = empty_world
    before = files(w)
    w.install(deb(w.suite))
    first = resident(w)
    assert (first is not None) or w.init is None
    with started(w, 'users-own', 'sleep', 'infinity') as i:
        main = i.main_pid

        def untouched(when):
            assert w.running(i.pid) and w.running(main), f'the user\'s instance did not survive {when}'

        w.install(newer(w.suite))
        untouched('the upgrade')
        second = resident(w)
        assert i.status()['pid'] == i.pid
        if first:
            assert second and second != first, 'after an upgrade the new program runs'
        w.run(['dpkg', '--remove', 'amphid'], timeout=60)
        untouched('the removal')
        if second:
            assert not w.running(second), 'the resident daemon runs on without its program'
        if w.init == 'systemd':
            assert w.run(['systemctl', 'is-active', 'amphid'], check=False).stdout.strip() in ('inactive', 'unknown')
        elif w.init == 'sysvinit':
            # Removed but not purged, the script is still there: debhelper has taken its executable bit, and even
            # if somebody gives it back, nothing happens.
            assert not w.stat('/etc/init.d/amphid').st_mode & 0o111
            r = w.run(['sh', '/etc/init.d/amphid', 'start'])
            assert (r.stdout, r.stderr) == ('', '')
        w.install(newer(w.suite))
        untouched('the new installation')
        i.stop()
        i.assert_stopped()
    w.run(['dpkg', '--purge', 'amphid'], timeout=60)
    left = sorted(f for f in files(w) - before if 'amphid' in f)
    assert not left, 'left behind'
    # deb-systemd-helper takes a directory of links that has become empty with the last of them.
    assert not sorted(f for f in before - files(w) if not f.endswith('.target.wants'))
    if w.init == 'systemd':
        assert w.run(['systemctl', 'is-system-running'], check=False).stdout.strip() == 'running'


def test_stopped_stays_stopped(empty_world, deb, newer):
    """Who has disabled the service does not get it back by an upgrade."""
    w = empty_world
    if w.init is None:
        pytest.skip('nothing starts services in a container without an init')
    w.install(deb(w.suite))
    if w.init == 'systemd':
        w.run(['systemctl', 'disable', '--now', 'amphid'])
    else:
        w.run(['service', 'amphid', 'stop'])
        w.run(['update-rc.d', 'amphid', 'disable'])
    assert resident(w) is None
    w.install(newer(w.suite))
    assert resident(w) is None
