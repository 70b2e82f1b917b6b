"""Units in /etc/amphid: `systemctl start amphid@NAME` under systemd and `amphid --fork NAME.service` elsewhere are the same."""
import json
import signal
from contextlib import contextmanager

import waiting
from instance import Kept, http_up, next_port
from registry import scenario
from scen_keep import SLOW, asked, fifo
from units import quoted


class UnitKept(Kept):
    """An instance of a unit in /etc/amphid, not started yet."""

    def _starter(self):
        return ['systemctl', 'start', f'amphid@{self.name}'] if self.service else ['amphid', '--fork', f'{self.name}.service']

    def stop(self, check=True, **kw):
        argv = ['systemctl', 'stop', f'amphid@{self.name}'] if self.service else ['amphid', 'stop', f'{self.name}.service']
        return self.world.run(argv, check=check, **kw)

    def reload(self, **kw):
        argv = ['systemctl', 'reload', f'amphid@{self.name}'] if self.service else ['amphid', 'reload', f'{self.name}.service']
        return self.world.run(argv, **kw)


def text_of(sections):
    return '\n'.join(f'[{section}]\n' + ''.join(f'{key}={value}\n' for key, value in settings.items())
                     for section, settings in sections.items())


@contextmanager
def units(w, **files):
    """Files of units in /etc/amphid, NAME={'Service': {...}}; the first one is what is started."""
    w.run(['mkdir', '-p', '/etc/amphid'])
    names = [name.replace('_', '-') for name in files]
    for name, sections in zip(names, files.values()):
        w.write(f'/etc/amphid/{name}.service', text_of(sections))
    i = UnitKept(w, names[0], [], w.init == 'systemd')
    try:
        yield i
    finally:
        i.stop(check=False, timeout=60)
        if w.init == 'systemd':
            w.run(['systemctl', 'reset-failed', f'amphid@{i.name}'], check=False)
        w.run(['rm', '-f', *[f'/etc/amphid/{name}.service' for name in names]])
        w.run(['rm', '-rf', f'/run/amphid/{i.name}'])


@scenario
def unit_is_ready_when_it_answers(w):
    """[X-Amphid] Ready=tcp:PORT holds the starter back, in both worlds alike; a stop leaves nothing."""
    port, gate = next_port(), fifo(w, 'unit.fifo')
    service = {'ExecStart': quoted(['/usr/bin/python3', '-c', SLOW, port, gate])}
    with units(w, slow_unit={'Service': service, 'X-Amphid': {'Ready': f'tcp:{port}'}}) as i:
        starter = i.begin_start()
        try:
            i.until('readiness', lambda why: why and 'refused' in why)
            assert asked(w, port, check=False).returncode != 0 and starter.poll() is None
            w.run(f'echo go > {gate}')
            assert starter.wait(10) == 0, i.trail()
        finally:
            starter.kill()
        assert asked(w, port).stdout.strip() == 'served'
        job = i.until('state', 'up')
        assert (job['name'], job['path']) == ('slow-unit.service', '/etc/amphid/slow-unit.service')
        if i.service:
            assert w.show('amphid@slow-unit', 'ActiveState') == 'active'
            assert 'up' in w.show('amphid@slow-unit', 'StatusText')
        pid = i.pid
        i.stop()
        w.wait_gone(pid)
        i.assert_stopped()


@scenario
def unit_with_a_dependency(w):
    """What it requires is up before it, and goes after it; when that fails the start tells so."""
    port = next_port()
    base = {'Type': 'oneshot', 'RemainAfterExit': 'yes', 'ExecStart': '/bin/mkdir /run/scen-base',
            'ExecStop': '/bin/rmdir /run/scen-base'}
    web = {'ExecStartPre': '/usr/bin/test -d /run/scen-base', 'ExecStopPost': '/usr/bin/test -d /run/scen-base',
           'ExecStart': f'/usr/bin/python3 -m http.server {port} --directory /run'}
    files = {'web_unit': {'Unit': {'Requires': 'scen-base.service', 'After': 'scen-base.service'}, 'Service': web,
                          'X-Amphid': {'Ready': f'tcp:{port}'}},
             'scen_base': {'Service': base}}
    with units(w, **files) as i:
        i.start()
        assert http_up(w, port)[0] == 200
        i.stop()
        assert not w.exists('/run/scen-base')
        w.run(['mkdir', '/run/scen-base'])  # in the way
        r = i.start(check=False)
        assert r.returncode != 0
        w.run(['rmdir', '/run/scen-base'])


@scenario
def unit_restarts_inside(w):
    """Restart= of the unit's file is amphid's to do, under systemd, too: the daemon stays the same."""
    service = {'ExecStart': '/bin/sleep infinity', 'Restart': 'on-failure', 'RestartSec': '50ms'}
    with units(w, again={'Service': service}) as i:
        i.start()
        before, daemon = i.until('state', 'up')['mainPid'], i.pid
        w.kill(before, signal.SIGKILL)
        job = i.until('mainPid', lambda pid: pid and pid != before)
        assert job['restarts'] == 1 and i.pid == daemon
        waiting.until(lambda: i.until('state', 'up'), 'it to be up again')
        i.stop()
        i.assert_stopped()


@scenario
def unit_that_cannot_start(w):
    """The reason is told where it is looked for: by the starter, or in the unit's log."""
    with units(w, broken={'Service': {'ExecStart': '/bin/sh -c "echo no such luck >&2; exit 7"', 'Type': 'oneshot'}}) as i:
        r = i.start(check=False)
        assert r.returncode != 0
        if i.service:
            assert w.show('amphid@broken', 'Result') == 'exit-code' and w.show('amphid@broken', 'ExecMainStatus') == '7'
        else:
            assert r.returncode == 7 and 'no such luck' in r.stderr


def resident(w, verb):
    """The resident instance is started or stopped as its world does it."""
    own = {'systemd': ['systemctl', verb, 'amphid'], 'sysvinit': ['/etc/init.d/amphid', verb]}
    by_hand = {'start': ['amphid', '--fork'], 'stop': ['amphid', 'stop', 'amphid']}
    return w.run(own.get(w.init, by_hand[verb]), timeout=60)


@scenario
def enabled_units_are_run(w):
    """The resident instance comes up with all that is enabled in /etc/amphid, ready when they are; one that cannot be used is in
    nobody's way; and what is disabled does not come back."""
    port = next_port()
    install = {'WantedBy': 'multi-user.target'}
    files = {'en_web': {'Unit': {'Requires': 'en-base.service', 'After': 'en-base.service'},
                        'Service': {'ExecStart': f'/usr/bin/python3 -m http.server {port} --directory /run'},
                        'Install': install, 'X-Amphid': {'Ready': f'tcp:{port}'}},
             'en_base': {'Service': {'Type': 'oneshot', 'RemainAfterExit': 'yes', 'ExecStart': '/bin/true'}},
             'en_bad': {'Service': {'ExecStart': '/bin/sleep infinity'}, 'Install': install}}
    with units(w, **files):
        w.run(['amphid', 'enable', 'en-web', 'en-bad'])
        w.write('/etc/amphid/en-bad.service', text_of({'Service': {'Type': 'nonsense', 'User': '%'}}))
        resident(w, 'stop')
        try:
            resident(w, 'start')
            assert http_up(w, port)[0] == 200
            states = {job['name']: job for job in json.loads(w.run(['amphid', 'status', 'amphid', '--json']).stdout)['jobs']}
            assert states['en-web.service']['state'] == 'up' and states['en-base.service']['state'] == 'exited', states
            assert w.run(['amphid', 'is-ready', 'en-bad'], check=False).returncode != 0
            if w.init == 'systemd':
                assert w.show('amphid', 'ActiveState') == 'active' and w.show('amphid', 'StatusText') != 'no jobs'
            main = states['en-web.service']['mainPid']
            w.run(['amphid', 'disable', 'en-web', 'en-bad'])
            resident(w, 'stop')
            assert not w.running(main)
            resident(w, 'start')
            assert json.loads(w.run(['amphid', 'status', 'amphid', '--json']).stdout)['jobs'] == []
        finally:
            w.run(['amphid', 'disable', 'en-web', 'en-bad'], check=False)
            if not w.init:
                resident(w, 'stop')
