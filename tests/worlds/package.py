#!/usr/bin/python3
"""The Debian package under test: built inside each suite, as a backport would be, because a binary linked
against bookworm's libc does not run on bullseye. Kept in the cache by the hash of its source.

    package.py [SUITE...]      build what is missing, print where it is

AMPHID_DEB=path names a finished package for all suites; AMPHID_DEB_BULLSEYE=path one for a single suite.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import roots

# Nothing of these gets into the package: a changed scenario must not cost three builds.
NOT_SOURCE = ('tests/worlds/', '.ci/', '.github/')
BUILD = '''set -e
mount -t tmpfs -o mode=0755 amphid-build "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" amphid-build "$1/root"
mount -t proc proc "$1/root/proc"
mkdir "$1/root/build"
cp -a "$3" "$1/root/build/amphid"
chroot "$1/root" sh -c 'cd /build/amphid && exec dpkg-buildpackage -us -uc -b -rfakeroot' >&2
cp "$1"/root/build/*.deb "$4"
'''


def source_files():
    """What git has or would take, in order. Files that are deleted but not yet committed are not there."""
    out = subprocess.run(['git', '-C', str(roots.TREE), 'ls-files', '-z', '-co', '--exclude-standard'],
                         check=True, capture_output=True, text=True).stdout
    names = sorted(n for n in set(out.split('\0')) if n and not n.startswith(NOT_SOURCE))
    return [n for n in names if os.path.lexists(roots.TREE / n)]


def copy_source(to):
    """Copies the source to @to. Returns its hash: of what was copied, even if the tree changes meanwhile."""
    digest = hashlib.sha256()
    for name in source_files():
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(roots.TREE / name, target, follow_symlinks=False)
        content = os.readlink(target).encode() if target.is_symlink() else target.read_bytes()
        digest.update(f'{name}\0{target.lstat().st_mode:o}\0{len(content)}\0'.encode() + content)
    return digest.hexdigest()[:12]


def built(suite):
    """Returns the path of amphid's package for @suite."""
    given = os.environ.get(f'AMPHID_DEB_{suite.upper()}') or os.environ.get('AMPHID_DEB')
    if given:
        return Path(given).resolve(strict=True)
    if not (roots.TREE / 'debian/control').exists():
        raise RuntimeError('there is no debian/control to build from, and no AMPHID_DEB')
    root = roots.make(roots.build_recipe(suite))
    with tempfile.TemporaryDirectory(prefix='amphid-build-') as tmp:
        source = Path(tmp) / 'source'
        source.mkdir()
        key = f'{suite}-{copy_source(source)}-{roots.build_recipe(suite).key()}'
        target = roots.cache() / f'deb-{key}'
        with roots.locked(target):
            if not target.is_dir():
                build(root, source, target, Path(tmp))
    found = [d for d in target.glob('amphid_*.deb')]
    if len(found) != 1:
        raise RuntimeError(f'{target} holds {len(found)} packages of the name amphid')
    return found[0]


def build(root, source, target, tmp):
    print(f'worlds: building {target}', file=sys.stderr, flush=True)
    (tmp / 'mnt').mkdir()
    new = Path(f'{target}.new')
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'LANG': 'C.UTF-8',
           'DEB_BUILD_OPTIONS': 'nocheck noautodbgsym', 'DEB_BUILD_PROFILES': 'nocheck'}
    log = Path(f'{target}.log')
    with open(log, 'w') as f:
        r = subprocess.run(['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child',
                            '--net', 'sh', '-c', BUILD, 'sh', str(tmp / 'mnt'), str(root), str(source), str(new)],
                           env=env, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
    if r.returncode != 0:
        shutil.rmtree(new)
        tail = '\n'.join(line[:240] for line in log.read_text(errors='replace').splitlines()[-40:])
        raise RuntimeError(f'the package does not build (exit {r.returncode}, {log}):\n{tail}')
    new.rename(target)


def main():
    suites = sys.argv[1:] or dict.fromkeys(r.suite for r in roots.world_recipes().values())
    for suite in suites:
        print(built(suite))
    return 0


if __name__ == '__main__':
    sys.exit(main())
