#!/usr/bin/python3
"""The roots of the worlds: small Debian systems, made once with mmdebstrap and kept outside of the tree.

A root's directory carries the hash of its recipe, so a changed recipe makes a new root and an unchanged one
costs nothing. Nobody ever writes to a finished root: worlds and package builds mount an overlay on it.

    roots.py            make what is missing, print where it is
    roots.py --prune    also remove the roots that no recipe asks for any more, and all built packages
"""
import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import packages

TREE = Path(__file__).resolve().parents[2]
ARCHIVE = 'http://archive.debian.org/debian'
DEFAULT_MIRROR = 'http://deb.debian.org/debian'

# What the scenarios need in every world: a web server in Python that does not know SIGHUP, one in C that
# reloads on it, ps, an account without privileges, and what the package itself depends on.
COMMON = ['procps', 'passwd', 'python3', 'libjansson4', 'libsystemd0', 'init-system-helpers',
          'redis-server', 'postgresql']
SYSTEMD = ['systemd', 'systemd-sysv', 'dbus', *COMMON]
HOOKS = [
    'chroot "$1" useradd --create-home --uid 1000 --shell /bin/sh alice',
    # The scenarios start the programs themselves; the distribution's own instances must not be in the way.
    'for s in nginx redis redis-server postgresql; do'
    ' rm -f "$1"/etc/systemd/system/*.wants/$s.service "$1"/etc/systemd/system/$s.service "$1"/etc/rc?.d/S??$s; done',
    'rm -f "$1"/etc/resolv.conf "$1"/etc/hostname',
]
# sysvinit: a container has no virtual consoles, and the console tells the harness when runlevel 2 is there.
SYSV_HOOKS = [
    "sed -i '/getty/d' \"$1\"/etc/inittab",
    "echo 'up:2:wait:/bin/echo world-is-up' >> \"$1\"/etc/inittab",
]
OPENRC_HOOKS = [
    'cd "$1"/etc/runlevels && rm -f */nginx */redis-server */postgresql',
]
RUNIT_HOOKS = [
    'printf "#!/bin/sh\\necho world-is-up >/dev/console\\n" >"$1"/etc/rc.local && chmod +x "$1"/etc/rc.local',
    'cd "$1"/etc/runit/runsvdir/default && rm -f getty-* nginx redis-server postgresql',
]
# The worlds of the packages: nothing of theirs starts by itself. What a service wants for itself (ssh.service.wants) stays.
STANDALONE = ('systemd-standalone-sysusers', 'systemd-standalone-tmpfiles')
PACKAGE_HOOKS = [
    'cd "$1"/etc/systemd/system && rm -f multi-user.target.wants/* sockets.target.wants/* timers.target.wants/*'
    ' sysinit.target.wants/* printer.target.wants/*',
    'find "$1"/etc/rc[2345].d "$1"/etc/rcS.d/*udev -name "S*" ! -name "S*dbus" -delete 2>/dev/null || true',
]


@dataclass(frozen=True)
class Recipe:
    name: str
    suite: str
    packages: tuple
    hooks: tuple = ()
    build_deps: str = ''

    def key(self):
        text = json.dumps([self.suite, self.packages, self.hooks, self.build_deps])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def path(self):
        return cache() / f'root-{self.name}-{self.key()}'


def world_recipes():
    """One recipe a world, by the world's name."""
    def systemd(version, suite, nginx):
        return Recipe(f'systemd-{version}', suite, (*SYSTEMD, nginx), tuple(HOOKS))

    def with_packages(init, *more, hooks=()):
        wanted = dict.fromkeys((*more, *COMMON, 'iproute2', *packages.debs()))
        return Recipe(f'packages-{init}', 'trixie', tuple(wanted), (*HOOKS, *hooks, *PACKAGE_HOOKS))
    found = [
        systemd(247, 'bullseye', 'nginx-light'),
        systemd(252, 'bookworm', 'nginx'),
        systemd(257, 'trixie', 'nginx'),
        Recipe('sysvinit', 'bookworm', ('sysvinit-core', 'sysv-rc', 'inetutils-syslogd', *COMMON, 'nginx'),
               (*HOOKS, *SYSV_HOOKS)),
        Recipe('openrc', 'bookworm', ('sysvinit-core', 'openrc', 'inetutils-syslogd', *COMMON, 'nginx'),
               (*HOOKS, *SYSV_HOOKS, *OPENRC_HOOKS)),
        Recipe('runit', 'bookworm', ('runit-init', 'inetutils-syslogd', *COMMON, 'nginx'), (*HOOKS, *RUNIT_HOOKS)),
        Recipe('bare', 'bookworm', (*COMMON, 'nginx'), tuple(HOOKS)),
        # Debian 13 with every package of packages.py. A machine that was turned to sysvinit mostly keeps the package
        # systemd, with the units in it; a container has nothing of it.
        with_packages('systemd-257', *SYSTEMD),
        with_packages('sysvinit', 'sysvinit-core', 'sysv-rc', 'systemd', 'dbus', hooks=SYSV_HOOKS),
        with_packages('bare', *STANDALONE),
        Recipe('quick-debian-11', 'bullseye', quick_needs()),
        Recipe('quick-debian-13', 'trixie', quick_needs()),
        Recipe('quick-unprivileged', 'bookworm', quick_needs()),
    ]
    return {r.name: r for r in found}


def quick_needs():
    """What `tests/run quick' would install."""
    text = (TREE / 'tests/run').read_text().replace('\\\n', ' ')
    return tuple(re.search(r'^tools/need (.*?) \|\|', text, re.M)[1].split())


def build_recipe(suite):
    """Where the package is built for @suite: what debian/control asks for, as apt understands it."""
    return Recipe(f'build-{suite}', suite, ('build-essential', 'fakeroot'), (), build_depends())


def build_depends():
    """The Build-Depends* fields of debian/control, on one line."""
    wanted, taking = [], False
    for line in (TREE / 'debian/control').read_text().splitlines():
        if not line.strip():
            break
        if line[0] not in ' \t#':
            taking = line.lower().startswith('build-depends')
            line = line.split(':', 1)[1]
        if taking and line[:1] != '#':
            wanted.append(line.strip().rstrip(','))
    return ', '.join(w for w in wanted if w)


def cache():
    base = os.environ.get('AMPHID_WORLDS')
    if not base:
        base = os.path.join(os.environ.get('XDG_CACHE_HOME') or '/var/cache', 'amphid-worlds')
    path = Path(base)
    path.mkdir(parents=True, exist_ok=True)
    return path


def mirror(suite):
    """The mirror this machine itself uses for Debian; the archive for a suite that has left it."""
    found = os.environ.get('AMPHID_MIRROR')
    if not found:
        asked = subprocess.run(['apt-get', 'indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages',
                                'Origin: Debian', 'Label: Debian'], capture_output=True, text=True).stdout
        found = next((u for u in asked.split() if u.startswith('http')), DEFAULT_MIRROR)
    found = found.rstrip('/')
    try:
        request = urllib.request.Request(f'{found}/dists/{suite}/InRelease', method='HEAD')
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as e:
        if e.code == 404:
            return ARCHIVE
    except OSError:
        pass  # apt knows proxies and retries better than we do: let it try, and complain
    return found


@contextmanager
def locked(path):
    """Two test runs at once make a thing once."""
    with open(f'{path}.lock', 'w') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def make(recipe):
    """Returns the directory of @recipe's root, made now if it is not there yet."""
    path = recipe.path()
    if path.is_dir():
        return path
    with locked(path):
        if path.is_dir():
            return path
        tmp = Path(f'{path}.new')
        shutil.rmtree(tmp, ignore_errors=True)
        argv = ['mmdebstrap', '--quiet', '--mode=root', '--variant=apt', '--format=directory',
                '--include=' + ','.join(recipe.packages)]
        hooks = list(recipe.hooks)
        if recipe.build_deps:
            # apt resolves alternatives, versions and profiles of the field, we do not.
            hooks.insert(0, 'DEB_BUILD_PROFILES=nocheck chroot "$1" apt-get satisfy -y -qq '
                            f"--no-install-recommends '{recipe.build_deps}'")
        argv += [f'--customize-hook={h}' for h in hooks]
        print(f'worlds: making {path}', file=sys.stderr, flush=True)
        env = dict(os.environ, DEBIAN_FRONTEND='noninteractive', TMPDIR='/var/tmp')
        try:
            with open(f'{path}.log', 'w') as log:
                subprocess.run([*argv, recipe.suite, str(tmp), mirror(recipe.suite)], check=True, env=env,
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            tmp.rename(path)
        except subprocess.CalledProcessError:
            shutil.rmtree(tmp, ignore_errors=True)
            tail = ''.join(open(f'{path}.log').readlines()[-30:])
            raise RuntimeError(f'mmdebstrap failed, see {path}.log:\n{tail}') from None
        except BaseException:
            shutil.rmtree(tmp, ignore_errors=True)
            raise
    return path


def all_recipes():
    found = list(world_recipes().values())
    if (TREE / 'debian/control').exists():
        found += [build_recipe(s) for s in dict.fromkeys(r.suite for r in found)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--prune', action='store_true', help='remove what nobody needs any more')
    args = parser.parse_args()
    wanted = [make(r) for r in all_recipes()]
    for path in wanted:
        print(path)
    if args.prune:
        for path in [*cache().glob('root-*'), *cache().glob('deb-*')]:
            if path.is_dir() and path not in wanted:
                shutil.rmtree(path)
            elif not path.is_dir():
                path.unlink()
    return 0


if __name__ == '__main__':
    sys.exit(main())
