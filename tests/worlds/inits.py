"""The worlds by their init: how one knows that it is up, how a service is started, where the log is read.

records() is what makes one list of scenarios possible: the stages of an instance as dictionaries with the same
keys, whether they come from the journal, from a syslogd's file or from the log file of a bare container.
"""
import json
import os
import re
from pathlib import Path

import waiting
from world import ENTER, World, cgroup_of

IDENTITY = ('ppid', 'pid', 'pgid', 'sid', 'tty')
DAEMON = 3  # the facility


class SystemdWorld(World):
    init = comm = 'systemd'
    log = 'journal'

    def __init__(self, name):
        super().__init__(name)
        self.version = int(name.rpartition('-')[2])

    def wait_booted(self, timeout):
        self.notify.wait('READY', self.alive, timeout)
        self.run(['systemctl', 'is-system-running', '--wait'], check=False, timeout=timeout)
        state = self.run(['systemctl', 'is-system-running'], check=False).stdout.strip()
        if state != 'running':
            failed = self.run(['systemctl', '--failed', '--no-legend', '--plain'], check=False).stdout
            raise AssertionError(f'{self.name} booted to "{state}": {failed}')

    def ask_poweroff(self):
        self.run(['systemctl', 'poweroff'], check=False)

    def service(self, verb, name='amphid'):
        return self.run(['systemctl', verb, name], check=False, timeout=30)

    def show(self, unit, prop):
        return self.run(['systemctl', 'show', '-P', prop, unit]).stdout.strip()

    def journal(self, *match):
        """Everything in the journal that fits @match, oldest first."""
        self.run(['journalctl', '--sync'])
        out = self.run(['journalctl', '-o', 'json', '--all', '--no-pager', '-q', *match], check=False).stdout
        return [json.loads(line) for line in out.splitlines()]

    def _stages(self, name):
        found = []
        for e in self.journal(f'AMPHID_NAME={name}', 'SYSLOG_IDENTIFIER=amphid'):
            r = {k[7:].lower(): v for k, v in e.items() if k.startswith('AMPHID_')}
            r.update(message=e['MESSAGE'], priority=int(e['PRIORITY']), facility=int(e['SYSLOG_FACILITY']), raw=e)
            found.append(r)
        return found

    def records(self, name, until=None):
        def have():
            got = self._stages(name)
            return got if not until or any(r['stage'] == until for r in got) else None
        return waiting.until(have, f'stage {until} of {name} in the journal') if until else have()

    def output(self, identifier, until=None, name=None):
        """Lines that the command of the instance @name (or @identifier) wrote under its own identifier."""
        def have():
            got = [e['MESSAGE'] for e in self.journal(f'SYSLOG_IDENTIFIER={identifier}')]
            return got if not until or any(until in line for line in got) else None
        return waiting.until(have, f'"{until}" of {identifier} in the journal') if until else have()


class TextWorld(World):
    """A world whose log is a file of lines."""

    def file(self, name):
        raise NotImplementedError

    def parse(self, line):
        """Returns (identifier, pid, text) or None."""
        raise NotImplementedError

    def _lines(self, name):
        path = self.file(name)
        if not self.exists(path):
            return []
        return [p for p in map(self.parse, self.read(path).splitlines()) if p]

    def _wait(self, name, have, what, until):
        if not until:
            return have()
        path = self.path(self.file(name))
        if not os.path.isdir(os.path.dirname(path)):
            waiting.until(lambda: os.path.isdir(os.path.dirname(path)), f'the directory of {path}')
        return waiting.until_file(path, have, what)

    def records(self, name, until=None):
        def have():
            got = []
            for identifier, pid, text in self._lines(name):
                r, message = waiting.fields(text)
                if identifier == 'amphid' and r.get('name') == name:
                    got.append(dict(r, message=message, facility=DAEMON, raw=text, log_pid=pid))
            return got if not until or any(r['stage'] == until for r in got) else None
        return self._wait(name, have, f'stage {until} of {name}', until)

    def output(self, identifier, until=None, name=None):
        def have():
            got = [text for who, _pid, text in self._lines(name or identifier) if who == identifier]
            return got if not until or any(until in line for line in got) else None
        return self._wait(name or identifier, have, f'"{until}" of {identifier}', until)


    @property
    def join(self):
        """Into the cgroup of the world's init, which nobody else uses here: nsenter(1) leaves us in ours."""
        return ['sh', '-c', ENTER, f'{cgroup_of(self.leader)}/cgroup.procs']

    def rights(self):
        status = Path(f'/proc/{self.leader}/status').read_text()
        sets = {option: int(re.search(fr'^{key}:\t(\w+)$', status, re.M)[1], 16)
                for option, key in (('inh-caps', 'CapInh'), ('bounding-set', 'CapBnd'))}
        return [f'--{option}=-all' + ''.join(f',+cap_{i}' for i in range(64) if mask >> i & 1)
                for option, mask in sets.items()]


class SysvWorld(TextWorld):
    init = 'sysvinit'
    comm = 'init'
    log = 'syslog'
    LINE = re.compile(r'^\w{3} [ \d]\d [\d:]{8} (?:\S+ )?([^\s\[:]+)\[(\d+)\]: (.*)$')

    def wait_booted(self, timeout):
        self.console.wait('world-is-up', timeout)

    def ask_poweroff(self):
        self.run(['init', '0'], check=False)

    def service(self, verb, name='amphid'):
        return self.run(['service', name, verb], check=False, timeout=30)

    def file(self, name):
        return '/var/log/daemon.log'

    def parse(self, line):
        m = self.LINE.match(line)
        return (m[1], int(m[2]), m[3]) if m else None


class OpenrcWorld(SysvWorld):
    """PID 1 is the init of sysvinit, and OpenRC does what its rc scripts would."""

    def service(self, verb, name='amphid'):
        return self.run(['rc-service', name, verb], check=False, timeout=30)


class RunitWorld(SysvWorld):
    """PID 1 is runit's. It runs the init scripts once, and looks after services of its own (/etc/service)."""
    comm = 'runit'


class BareWorld(TextWorld):
    """PID 1 is a program that knows nothing about being PID 1, as in most containers: it reaps nobody."""
    log = 'file'
    argv = ['sh', '-c', 'echo world-is-up; exec sleep infinity']
    LINE = re.compile(r'^\d{4}-\d\d-\d\dT[\d:.]{15}[+-]\d\d:\d\d ([^\s\[:]+)\[(\d+)\]: (.*)$')

    def wait_booted(self, timeout):
        self.console.wait('world-is-up', timeout)
        waiting.until(lambda: self.read('/proc/1/comm') == 'sleep\n', 'the exec of PID 1')

    def file(self, name):
        return f'/var/log/amphid/{name}.log'

    parse = SysvWorld.parse


WORLDS = {'systemd-247': SystemdWorld, 'systemd-252': SystemdWorld, 'systemd-257': SystemdWorld,
          'sysvinit': SysvWorld, 'openrc': OpenrcWorld, 'runit': RunitWorld,
          'bare': BareWorld}

# The same with real packages in them, for test_packages.py alone. CAP_SYS_TIME: chrony's unit asks for it.
PACKAGE_WORLDS = {'packages-systemd-257': SystemdWorld, 'packages-sysvinit': SysvWorld, 'packages-bare': BareWorld}

# Where the tests are built and run, for test_quick.py alone: the other releases of Debian, and a container that may no more
# than one of Docker's.
QUICK_WORLDS = {'quick-debian-11': BareWorld, 'quick-debian-13': BareWorld, 'quick-unprivileged': BareWorld}
NOT_DOCKER = ('AUDIT_CONTROL', 'DAC_READ_SEARCH', 'IPC_OWNER', 'LEASE', 'LINUX_IMMUTABLE', 'NET_ADMIN', 'NET_BROADCAST',
              'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_PTRACE', 'SYS_RESOURCE', 'SYS_TTY_CONFIG')

ALL_WORLDS = {**WORLDS, **PACKAGE_WORLDS, **QUICK_WORLDS}


def new(name):
    w = ALL_WORLDS[name](name)
    if name == 'quick-unprivileged':
        w.nspawn_options = ('--drop-capability=' + ','.join(f'CAP_{c}' for c in NOT_DOCKER),)
    elif name in PACKAGE_WORLDS:
        w.nspawn_options = ('--capability=CAP_SYS_TIME',)
        if w.init == 'sysvinit':
            w.argv = ['/sbin/init']  # --boot would take the systemd that lies there beside it
    return w
