"""Every .service file of a hundred packages of Debian, as systemd understands it and as amphid does."""
import json
import subprocess
from pathlib import Path

import pytest

import differential
import unitfiles

ONLY = ('systemd-247', 'systemd-252', 'systemd-257')
INSTANCE = 'x-y'
UNITS = '/lib/systemd/system'  # also where /lib and /usr/lib are two directories
# Explains each of the words on stdin; the answers are separated by a line with the exit status.
EXPLAIN = 'while read -r unit; do amphid explain --json "$unit" 2>/dev/null; echo "status $?"; done'


@pytest.fixture(scope='module')
def described(own_world):
    """(units, and by their names what systemctl shows of them, what amphid explains of them, their conditions)"""
    w = own_world
    put_units(w)
    names = sorted(p.name for p in Path(w.path(UNITS)).glob('*.service'))
    names = [n.replace('@.', f'@{INSTANCE}.') for n in names]
    return names, show(w, names), explain(w, names), conditions(w, names)


def put_units(w):
    """The packages' unit files into the world, and more of our own with what few packages use."""
    tree = unitfiles.tree(w.suite)
    tar = subprocess.run(['tar', '-c', '-C', str(tree), '.'], check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(['tar', '-x', '-C', w.path('/'), '--keep-directory-symlink', '--no-overwrite-dir'], input=tar, check=True)
    for path in sorted(Path(__file__).with_name('samples').glob('*.service*')):
        if path.is_dir():
            for dropin in path.iterdir():
                w.write(f'{UNITS}/{path.name}/{dropin.name}', dropin.read_text())
        else:
            w.write(f'{UNITS}/{path.name}', path.read_text())
    w.run(['systemctl', 'daemon-reload'], timeout=60)


def show(w, names):
    """Also of the units that they depend on: under which Id systemd knows them."""
    def ask(units, *options):
        text = w.run(['systemctl', 'show', '--no-pager', *options, '--', *units], timeout=120).stdout
        return {n: dict(u, version=w.version) for u in differential.parse_show(text) for n in differential.words(u.get('Names', ''))}
    found = ask(names)
    others = {n for u in found.values() for k in differential.DEPENDENCIES for n in differential.words(u.get(k, ''))}
    others |= {'default.target', *(f'runlevel{n}.target' for n in range(7))}
    return {**ask(sorted(n for n in others if not n.startswith('/')), '--property=Id,Names'), **found}


def explain(w, names):
    text = w.run(EXPLAIN, stdin='\n'.join(names) + '\n', timeout=120).stdout
    found, lines = {}, []
    for line in text.splitlines():
        if line.startswith('status '):
            found[names[len(found)]] = json.loads('\n'.join(lines)) if line == 'status 0' else None
            lines = []
        else:
            lines.append(line)
    assert len(found) == len(names)
    return found


def conditions(w, names):
    """systemctl cannot print them, D-Bus has them: {unit: sorted [(directive, value as it is written)...]}"""
    def object_path(name):
        return '/org/freedesktop/systemd1/unit/' + ''.join(
            c if c.isalnum() and not (i == 0 and c.isdigit()) else f'_{ord(c):02x}' for i, c in enumerate(name))
    text = w.run('while read -r path; do busctl --json=short get-property org.freedesktop.systemd1 "$path" '
                 'org.freedesktop.systemd1.Unit Conditions Asserts; done',
                 stdin='\n'.join(map(object_path, names)) + '\n', timeout=120).stdout
    lines = [json.loads(line)['data'] for line in text.splitlines()]
    assert len(lines) == 2 * len(names)
    return {n: sorted((key, ('|' if trigger else '') + ('!' if negate else '') + value)
                      for key, trigger, negate, value, _ in lines[2 * i] + lines[2 * i + 1]) for i, n in enumerate(names)}


def test_same_units_are_loaded(described):
    """What systemd loads, and what it has masked."""
    names, theirs, ours, _ = described
    for name in names:
        state = theirs[name]['LoadState']
        assert state in ('loaded', 'masked', 'bad-setting'), f'{name}: {state}'
    here = {n for n in names if ours[n]}
    there = {n for n in names if theirs[n]['LoadState'] == 'loaded'}
    assert here == there


def test_same_values(described, record_property):
    names, theirs, ours, _ = described
    compared, wrong, seen = 0, [], set()
    for name in names:
        if not ours[name]:
            continue
        both, found = differential.compare(theirs[name], ours[name]['properties'],
                                           lambda n: theirs.get(n, {}).get('Id', n))
        compared += len(both)
        seen.update(both)
        wrong += [f'{name}: {key}: {why}' for key, why in found]
    record_property('values', compared)
    print(f'{len(names)} units, {len(seen)} properties, {compared} values compared')
    assert not wrong, f'{len(wrong)} of {compared} values differ:\n' + '\n'.join(wrong)
    assert len(names) > 200 and len(seen) > 80, 'too little was compared to mean anything'


def test_same_conditions(described):
    names, _, ours, theirs = described
    compared, wrong = 0, []
    for name in names:
        if not ours[name]:
            continue
        here = sorted((key, value) for key, lines in ours[name]['properties'].items()
                      if key.startswith(('Condition', 'Assert')) for value in lines.splitlines())
        compared += len(here)
        if here != theirs[name]:
            wrong.append(f'{name}: {theirs[name]} there, {here} here')
    print(f'{compared} conditions and asserts compared')
    assert not wrong, '\n'.join(wrong)
    assert compared > 50, 'too little was compared to mean anything'
