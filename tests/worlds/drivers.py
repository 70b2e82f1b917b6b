"""Who starts the units: systemctl or amphid, behind the same few words, so that one scenario measures both."""
import json
import os
import signal

import waiting

QUIET = {'inactive', 'failed'}


class Systemctl:
    def __init__(self, world):
        self.w = world

    def prepare(self):
        """systemd has done at boot what the units rely on (tmpfiles.d), and its journal is there."""

    def settle(self):
        pass

    def do(self, verb, unit, check=True):
        r = self.w.run(['systemctl', verb, unit], check=False, timeout=60)
        assert not check or r.returncode == 0, f'{verb}: exit {r.returncode}: {r.stderr}\n{self.trail(unit)}'
        return r

    def start(self, *units):
        for unit in units:
            self.do('start', unit)

    def stop(self, package):
        for unit in (*package.also_stop, package.unit):
            self.do('stop', unit)

    def stop_all(self, units):
        self.w.run(['systemctl', 'stop', *units], timeout=60)

    def state(self, unit):
        """How the unit is, in systemctl's words: (ActiveState, PID of the main process or 0, restarts)."""
        out = self.w.run(['systemctl', 'show', unit, '-p', 'ActiveState,MainPID,NRestarts']).stdout
        got = dict(line.split('=', 1) for line in out.splitlines())
        return got['ActiveState'], int(got['MainPID']), int(got['NRestarts'])

    def processes(self, unit):
        """The command lines of the unit's processes."""
        group = self.w.show(unit, 'ControlGroup')
        path = self.w.path(f'/sys/fs/cgroup{group}/cgroup.procs')
        if not group or not os.path.exists(path):
            return []
        pids = self.w.run(['cat', f'/sys/fs/cgroup{group}/cgroup.procs']).stdout.split()
        return [f'{pid} {command_line(self.w, pid)}' for pid in pids]

    def clear(self, package):
        for unit in (*package.also_stop, package.unit):
            self.w.run(['systemctl', 'stop', unit], check=False, timeout=60)
        self.w.run(['systemctl', 'reset-failed', package.unit], check=False)

    def trail(self, unit):
        return self.w.run(['journalctl', '-b', '-u', unit, '--no-pager', '-o', 'short-precise', '-n', '40'], check=False).stdout


class Amphid:
    STATES = {'up': 'active', 'exited': 'active', 'reloading': 'reloading', 'failed': 'failed', 'done': 'inactive',
              'inactive': 'inactive', 'auto-restart': 'activating', 'condition': 'activating', 'start-pre': 'activating',
              'starting': 'activating', 'start-post': 'activating'}

    def __init__(self, world):
        self.w = world
        self.before = {}

    @staticmethod
    def instance(unit):
        return unit.removesuffix('.service')

    def prepare(self):
        """What the boot of a machine without systemd does before its services: the directories of tmpfiles.d(5), and
        its syslogd."""
        self.w.run('systemd-tmpfiles --create --exclude-prefix=/dev; mkdir -p -m 1777 /run/lock', check=False)
        self.settle()

    def settle(self):
        """A syslogd again, behind a test that has needed its place."""
        if self.w.init == 'sysvinit' and not self.w.exists('/dev/log'):
            self.w.run(['rsyslogd'])
            waiting.until(lambda: self.w.exists('/dev/log'), 'the socket of syslogd')

    def do(self, verb, unit, check=True):
        r = self.w.run(['amphid', verb, unit], check=False, timeout=60)
        assert not check or r.returncode == 0, f'{verb}: exit {r.returncode}: {r.stderr}\n{self.trail(unit)}'
        return r

    def start(self, *units):
        self.before.update(dict.fromkeys(units, processes(self.w)))
        r = self.w.run(['amphid', '--fork', *units], check=False, timeout=60)
        assert r.returncode == 0, f'start: exit {r.returncode}: {r.stderr}\n{self.trail(units[0])}'
        return r

    def stop(self, package):
        return self.do('stop', package.unit)

    def stop_all(self, units):
        """The whole instance: what runs in it, in the reverse order of the start."""
        pid = int(self.w.read(f'/run/amphid/{self.instance(units[0])}/pid'))
        self.w.kill(pid, signal.SIGTERM)
        self.w.wait_gone(pid, 60)

    def state(self, unit):
        r = self.w.run(['amphid', 'status', unit, '--json'], check=False)
        jobs = json.loads(r.stdout).get('jobs') if r.stdout.startswith('{') else None
        if not jobs:
            return 'inactive', 0, 0
        job = next((j for j in jobs if j['name'] == unit), jobs[0])  # an alias is another name of the only one
        return self.STATES.get(job['state'], 'deactivating'), job.get('mainPid') or 0, job['restarts']

    def processes(self, unit):
        """What has come since the start, but for amphid's own."""
        before = self.before.get(unit, {})
        return [f'{pid} {line}' for pid, line in processes(self.w).items() if pid not in before]

    def clear(self, package):
        self.w.run('cd /run/amphid && for i in *; do test ! -e $i/pid || amphid stop $i; done', check=False, timeout=60)
        if package.name == 'rsyslog' and self.w.init == 'sysvinit':
            self.w.run('pkill -x rsyslogd; while pgrep -x rsyslogd >/dev/null; do sleep 0.02; done; rm -f /dev/log', check=False)

    def trail(self, unit):
        return self.w.run(f'amphid status {unit}; tail -n 40 /var/log/amphid/{self.instance(unit)}.log || '
                          f'grep -F {self.instance(unit)} /var/log/syslog | tail -n 40', check=False).stdout[-6000:]


def driver(world):
    return (Systemctl if world.init == 'systemd' else Amphid)(world)


def command_line(w, pid):
    try:
        with open(w.path(f'/proc/{pid}/cmdline'), 'rb') as f:
            return f.read().replace(b'\0', b' ').decode(errors='replace').strip()
    except OSError:
        return ''


def processes(w):
    """pid -> command line of all that run in the world, as it sees them itself."""
    lines = w.run('ps -eo pid=,stat=,args=').stdout.splitlines()
    found = {}
    for pid, stat, args in (line.split(None, 2) for line in lines):
        if stat[0] != 'Z' and not args.startswith(('[', 'ps -eo', 'timeout -k', 'sh -c ps -eo')):
            found[int(pid)] = args
    return found
