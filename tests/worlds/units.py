"""Units written into a systemd world, and taken away again."""
import waiting
from contextlib import contextmanager


@contextmanager
def unit(w, name, **service):
    """A service unit of these settings, not started. A list of values makes several lines."""
    lines = ['[Unit]', f'Description=scenario {name}', '[Service]']
    for key, value in service.items():
        lines += [f'{key}={v}' for v in (value if isinstance(value, list) else [value])]
    path = w.write(f'/etc/systemd/system/{name}.service', '\n'.join(lines) + '\n')
    w.run(['systemctl', 'daemon-reload'])
    try:
        yield Unit(w, name)
    finally:
        w.run(['systemctl', 'stop', name], check=False, timeout=60)
        w.run(['systemctl', 'reset-failed', name], check=False)
        w.run(['rm', '-f', path])
        w.run(['systemctl', 'daemon-reload'])


def quoted(argv):
    """@argv as one command line of a unit (systemd.service(5), "Command Lines")."""
    def word(w):
        for old, new in (('\\', '\\\\'), ('"', '\\"'), ('\n', '\\n'), ('%', '%%'), ('$', '$$')):
            w = w.replace(old, new)
        return f'"{w}"'
    return ' '.join(word(str(a)) for a in argv)


class Unit:
    def __init__(self, world, name):
        self.world, self.name = world, name

    def __getitem__(self, prop):
        return self.world.show(self.name, prop)

    def do(self, verb, check=True):
        r = self.world.run(['systemctl', verb, self.name], check=False, timeout=60)
        if check and r.returncode != 0:
            raise AssertionError(f'systemctl {verb} {self.name}: {r.stderr}\n{self.log()}')
        return r

    def log(self):
        return self.world.run(['journalctl', '-b', '-u', self.name, '--no-pager', '-o', 'short-precise'],
                              check=False).stdout

    def until(self, prop, wanted, timeout=15):
        try:
            waiting.until(lambda: self[prop] == wanted, f'{prop}={wanted} of {self.name}', timeout)
        except waiting.Late as e:
            raise waiting.Late(f'{e}; it is {self[prop]}\n{self.log()}') from None
