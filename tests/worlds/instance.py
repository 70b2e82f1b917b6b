"""An instance of amphid in a world, started by `amphid --fork`, and what the scenarios ask about it."""
import itertools
import json
import signal
from contextlib import contextmanager, suppress

import waiting
from units import quoted, unit

WEB = '/opt/web.py'
_ports = itertools.count(8100)

# The stages of a start in fork mode, in the order of daemon(7).
START = ['detect', 'start', 'fork-1', 'setsid', 'fork-2', 'detached', 'pidfile', 'exec', 'ready']
END = ['stopping', 'child-exit', 'stopped']


def next_port():
    """A port that no other scenario uses: nothing waits for TIME_WAIT, nothing answers for somebody else."""
    return next(_ports)


def in_order(wanted, records):
    """Do the stages of @records contain @wanted in that order, each once?"""
    seen = [r['stage'] for r in records]
    assert [s for s in seen if s in wanted] == list(wanted), f'logged: {seen}'


class Instance:
    def __init__(self, world, name, base='/run/amphid', user=None, env=None):
        self.world, self.name, self.base, self.user, self.env = world, name, base, user, env
        self.pid = int(world.read(f'{base}/{name}/pid'))

    def run(self, *argv, **kw):
        return self.world.run(['amphid', *argv], user=self.user, env=self.env, **kw)

    def status(self):
        return json.loads(self.run('status', self.name, '--json').stdout)

    def job(self):
        return self.status()['jobs'][0]

    @property
    def main_pid(self):
        return self.job()['mainPid']

    def stop(self, **kw):
        return self.run('stop', self.name, **kw)

    def reload(self, **kw):
        return self.run('reload', self.name, **kw)

    def records(self, until=None):
        return self.world.records(self.name, until)

    def assert_stopped(self):
        """It ended as a good daemon does: nobody left, nothing left."""
        self.world.wait_gone(self.pid)
        assert not self.world.exists(f'{self.base}/{self.name}'), 'its directory was left behind'
        assert self.run('status', self.name, check=False).returncode == 3


@contextmanager
def started(world, name, *command, opts=(), base='/run/amphid', user=None, env=None, **kw):
    """`amphid --fork` of @command; the instance is gone at the end, however the scenario went."""
    r = world.run(['amphid', '--fork', '-n', name, *opts, '--', *command], user=user, env=env, **kw)
    i = Instance(world, name, base, user, env)
    i.starter = r
    family = [i.pid]
    try:
        family += world.children(i.pid)
        yield i
    finally:
        world.run(['amphid', 'stop', name], check=False, user=user, env=env)
        for pid in family:
            with suppress(ProcessLookupError):
                world.kill(pid, signal.SIGKILL)
            world.wait_gone(pid)
        world.run(['rm', '-rf', f'{base}/{name}'])


class Kept(Instance):
    """An instance whom its world keeps: the wrapper of a unit under systemd, by `amphid --fork` elsewhere. Not started
    yet: start() may fail, and come again."""

    def __init__(self, world, name, argv, service):
        self.world, self.name, self.argv, self.service = world, name, argv, service
        self.base, self.user, self.env = '/run/amphid', None, None

    @property
    def pid(self):
        return int(self.world.read(f'{self.base}/{self.name}/pid'))

    def _starter(self):
        return ['systemctl', 'start', self.name] if self.service else ['amphid', '--fork', *self.argv]

    def start(self, check=True):
        r = self.world.run(self._starter(), check=False)
        assert not check or r.returncode == 0, f'{r.stderr}\n{self.trail()}'
        return r

    def begin_start(self):
        """The starter as a Popen: it is to be seen how long it waits."""
        return self.world.spawn(self._starter())

    def stop(self, check=True, **kw):
        argv = ['systemctl', 'stop', self.name] if self.service else ['amphid', 'stop', self.name]
        return self.world.run(argv, check=check, **kw)

    def until(self, key, wanted, timeout=10.0):
        """Waits until the job's @key is @wanted, or fits it. Returns the job."""
        fits = wanted if callable(wanted) else lambda v: v == wanted
        seen = {}

        def look():
            r = self.run('status', self.name, '--json', check=False)
            if r.stdout.startswith('{'):
                seen.update(job=(json.loads(r.stdout).get('jobs') or [{}])[0])
            return seen['job'] if 'job' in seen and fits(seen['job'].get(key)) else None
        try:
            return waiting.until(look, f'{key} {wanted} of {self.name}', timeout, pause=0.02)
        except waiting.Late as e:
            raise waiting.Late(f'{e}: {seen}\n{self.trail()}') from None

    def trail(self):
        return '\n'.join(str({k: v for k, v in r.items() if k != 'raw'}) for r in self.records())

    def assert_stopped(self):
        assert not self.world.exists(f'{self.base}/{self.name}'), 'its directory was left behind'
        assert self.run('status', self.name, check=False).returncode == 3


@contextmanager
def kept(world, name, *command, opts=(), **settings):
    """A service of @command, as each world has it; @settings are for the unit. Nothing is left of it at the end."""
    argv = ['-n', name, *opts, '--', *command]
    if world.init == 'systemd':
        settings = {'Type': 'notify', 'ExecStart': quoted(['/usr/bin/amphid', *argv]), **settings}
        with unit(world, name, **settings):
            yield Kept(world, name, argv, True)
        return
    i = Kept(world, name, argv, False)
    try:
        yield i
    finally:
        world.run(['amphid', 'stop', name], check=False)
        world.run(['rm', '-rf', f'{i.base}/{name}'])


@contextmanager
def web(world, name, *args, opts=(), **kw):
    """The test service, up: Type=notify, so the very first request must be answered."""
    port = next_port()
    with started(world, name, '/usr/bin/python3', WEB, str(port), *args,
                 opts=('-p', 'Type=notify', *opts), **kw) as i:
        i.port = port
        yield i


def http(world, port, path='/'):
    """GET from inside the world's own network, at once: (status, body)."""
    return json.loads(world.run(['python3', '-c', GET, str(port), path]).stdout)


def http_up(world, port, path='/', timeout=10):
    """The answer of a server that may still be on its way to its listen(2)."""
    def get():
        r = world.run(['python3', '-c', GET, str(port), path], check=False)
        return json.loads(r.stdout) if r.returncode == 0 else None
    return waiting.until(get, f'an answer on port {port}', timeout)


GET = '''
import http.client, json, sys
c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=4)
c.request('GET', sys.argv[2])
r = c.getresponse()
print(json.dumps([r.status, r.read().decode(errors='replace')]))
'''
