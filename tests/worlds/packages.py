"""Real Debian packages, each with its own unit: how one asks it for its real work, what a reload must change, what
must be gone after it. The table is for every world: systemctl and amphid are measured by the same lines (drivers.py).
"""
from dataclasses import dataclass
from typing import Callable


def nothing(_w):
    pass


@dataclass(frozen=True)
class Package:
    unit: str                        # to be started, as the package ships it
    debs: tuple                      # what is installed for it
    proves: str                      # forms of unit files that it stands for
    ask: Callable                    # does its real work: ask(w) -> what it says; raises while it does not answer
    says: str                        # ... and what that is
    main: str                        # a regular expression: the command line of the main process
    user: str = 'root'               # who that process is
    ready: bool = True               # Type= knows when it is up: the first request after the start is answered
    prepare: Callable = nothing      # configuration, as an administrator would write it
    again: Callable = nothing        # before each start
    beside: tuple = ()               # command lines of what has to run beside it
    change: Callable = None          # other configuration; after a reload ask() says @then
    then: str = ''
    reloads: bool = True             # has a reload at all; without: the request is refused and harms nothing
    reload_ends: bool = False        # ... but the program does not expect its signal, and ends
    restarts: bool = False           # Restart= covers SIGKILL; if not it fails then and is started by hand
    there: tuple = ()                # exists while it is up, and not after the stop
    left: tuple = ()                 # patterns of what stays below /run and /tmp, also under systemd: its own dirt
    also_stop: tuple = ()            # under systemd: what would start it again
    unless: Callable = nothing       # unless(w): why a world cannot run it

    @property
    def name(self):
        return self.unit.removesuffix('.service')


# Configuration

def files(**by_name):
    """prepare or change: these texts into these files."""
    def write(w):
        for path, text in by_name.items():
            w.write(path, text)
    return write


def put(path, text):
    return files(**{path: text})


def original(w, path):
    """The file as the package has brought it, however often it was edited since."""
    kept = w.__dict__.setdefault('originals', {})
    return kept.setdefault(path, w.read(path))


def edited(path, old, new):
    """@old, of the package's own file or of what prepare has made of it, is @new."""
    def edit(w):
        text = original(w, path) if old in original(w, path) else w.read(path)
        assert old in text, f'no "{old}" in {path}'
        w.write(path, text.replace(old, new), w.stat(path).st_mode & 0o7777)
    return edit


def appended(path, text):
    """The package's own file, and @text."""
    return lambda w: w.write(path, original(w, path) + text, w.stat(path).st_mode & 0o7777)


def all_of(*steps):
    def do(w):
        for step in steps:
            step(w)
    return do


def shell(text):
    return lambda w: w.run(text, timeout=60)


# Questions

def output(*argv, **kw):
    return lambda w: w.run(list(argv), timeout=15, **kw).stdout.strip()


def python(code, *args):
    return lambda w: w.run(['python3', '-c', code, *args], timeout=15).stdout.strip()


def web(port, path='/', header='', proxy=''):
    """GET: the body, and a header's value if one is named. @proxy: through what listens on @port."""
    return python(GET, str(port), proxy + path, header)


def dig(name, port=53):
    """The address of @name, by what listens on 127.0.0.1:@port."""
    def ask(w):
        said = w.run(['dig', '+short', '+timeout=2', '+tries=1', '@127.0.0.1', '-p', port, name]).stdout.strip()
        assert said and ';' not in said, f'dig says "{said}"'
        return said
    return ask


GET = '''
import http.client, sys
port, path, header = sys.argv[1:]
c = http.client.HTTPConnection('127.0.0.1', int(port), timeout=4)
c.request('GET', path)
r = c.getresponse()
print(r.read().decode(errors='replace').strip(), r.getheader(header) if header else '')
'''
ORIGIN = ('python3', '/opt/web.py', '8090')  # says hello
ZONE = '$TTL 60\n@ IN SOA ns.t.test. root.t.test. %d 60 60 60 60\n@ IN NS ns\nns IN A 127.0.0.1\nhost IN A 10.0.0.%d\n'


def table():
    """All packages, in the order in which they are tested."""
    import packages_data
    import packages_net
    import packages_system
    import packages_web
    return [*packages_system.PACKAGES, *packages_web.PACKAGES, *packages_net.PACKAGES, *packages_data.PACKAGES]


def debs():
    """What has to be installed for the table, and to ask."""
    found = {d for p in table() for d in p.debs} | {'bind9-dnsutils', 'openssh-client'}
    return tuple(sorted(found))
