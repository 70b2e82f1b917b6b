"""Real packages with their own units: started, asked for their real work, reloaded, killed, restarted and stopped, and
nothing is left. The same steps with systemctl under systemd, which shows that they are right, and with amphid elsewhere."""
import fnmatch
import json
import re
import signal
import subprocess
from contextlib import contextmanager

import drivers
import inits
import packages
import picture
import pytest
import waiting

ONLY = tuple(inits.PACKAGE_WORLDS)
# What comes and goes below these directories is nobody's, or told of by other tests.
NOT_THEIRS = ('/run/amphid', '/run/systemd', '/run/udev', '/run/log', '/run/dbus', '/run/user', '/run/lock', '/run/mount',
             '/run/agetty.reload')


@pytest.fixture(scope='session')
def machine(world):
    d = drivers.driver(world)
    d.prepare()
    return d


@pytest.mark.parametrize('p', packages.table(), ids=lambda p: p.name)
def test_package(world, machine, p):
    reason = p.unless(world)
    if reason:
        pytest.skip(reason)
    with cleared(world, machine, p):
        steps(world, machine, p)


@contextmanager
def cleared(w, d, p):
    d.clear(p)
    p.prepare(w)
    beside = [w.spawn(argv) for argv in p.beside]
    try:
        yield
    finally:
        d.clear(p)
        d.settle()
        for process in beside:
            process.kill()
            process.communicate()


def steps(w, d, p):
    p.again(w)
    with pytest.raises(Exception):
        p.ask(w)  # so that nobody else can answer in its place
    before = found_below_run(w)
    d.start(p.unit)
    answers(w, d, p, p.says, p.ready)
    first = up(w, d, p)
    said = reload_it(w, d, p, first)
    second = killed(w, d, p, said) if p.main else first
    p.again(w)
    d.do('restart', p.unit)
    answers(w, d, p, said, p.ready)
    third = up(w, d, p)
    assert not p.main or (third not in (first, second) and not w.running(second)), 'it was not restarted'
    if p.main:
        picture.compare(w, p, picture.taken(w, third, unit_text(w, p)))
    d.stop(p)
    assert d.state(p.unit)[0] == 'inactive', f'{d.state(p.unit)}\n{d.trail(p.unit)}'
    nothing_left(w, d, p, before)


def unit_text(w, p):
    name = p.unit if w.exists(f'/usr/lib/systemd/system/{p.unit}') else re.sub('@.*[.]', '@.', p.unit)
    return w.read(f'/usr/lib/systemd/system/{name}')


def answers(w, d, p, says, at_once):
    """It says @says: to the first question if its Type= promises that, else soon."""
    seen = []

    def look():
        try:
            seen.append(p.ask(w))
        except Exception as e:
            seen.append(f'{type(e).__name__}: {str(e)[-400:]}')
        return seen[-1] == says
    try:
        if at_once:
            assert look(), f'not "{says}" but "{seen[-1]}"'
        else:
            waiting.until(look, f'"{says}" of {p.name}', 20, pause=0.05)
    except (AssertionError, waiting.Late) as e:
        raise AssertionError(f'{e}: {seen[-1:]}\n{d.trail(p.unit)}') from None


def up(w, d, p):
    """It is up as its unit has it. Returns the main process."""
    state, main, _restarts = d.state(p.unit)
    assert state == 'active', f'it is {state}\n{d.trail(p.unit)}'
    if p.main:
        line = drivers.command_line(w, main)
        assert re.fullmatch(p.main, line), f'the main process {main} is "{line}"\n{d.processes(p.unit)}'
        uid = int(w.status_of(main)['Uid'].split()[0])
        assert p.user == '*' and uid >= 61184 or uid == account(w, p.user), f'it runs as {uid}'
    else:
        assert main == 0
    for path in p.there:
        assert w.exists(path), f'there is no {path}'
    return main


def account(w, name):
    return 0 if name == 'root' else int(w.run(['id', '-u', name], check=False).stdout or -1)


def reload_it(w, d, p, main):
    """The reload is refused, or makes it say something else as the same process. Returns what it says from now on."""
    if not p.reloads:
        assert d.do('reload', p.unit, check=False).returncode != 0, 'it has no reload, but did one'
        assert d.state(p.unit)[:2] == ('active', main)
        return p.says
    if p.change:
        p.change(w)
    d.do('reload', p.unit, check=not p.reload_ends)
    if p.reload_ends:
        waiting.until(lambda: d.state(p.unit)[0] in drivers.QUIET, f'the end of {p.name}', 20, pause=0.02)
        d.start(p.unit)
        answers(w, d, p, p.says, p.ready)
        return p.says
    said = p.then or p.says
    answers(w, d, p, said, False)
    assert d.state(p.unit)[:2] == ('active', main), f'{d.state(p.unit)}\n{d.trail(p.unit)}'
    return said


def killed(w, d, p, said):
    """SIGKILL for the main process, and what Restart= makes of it. Returns the main process after that."""
    main = d.state(p.unit)[1]
    p.again(w)
    w.kill(main, signal.SIGKILL)
    w.wait_gone(main)
    if not p.restarts:
        waiting.until(lambda: d.state(p.unit)[0] in drivers.QUIET, f'the failure of {p.name}', 20, pause=0.02)
        with pytest.raises(Exception):
            p.ask(w)
        d.start(p.unit)
    else:
        waiting.until(lambda: d.state(p.unit)[0] == 'active' and d.state(p.unit)[1] not in (0, main),
                      f'the restart of {p.name}\n{d.trail(p.unit)}', 20, pause=0.02)
        assert d.state(p.unit)[2] >= 1
    answers(w, d, p, said, p.ready)
    return up(w, d, p)


def found_below_run(w):
    skip = ' '.join(f'-path {path} -prune -o' for path in NOT_THEIRS)
    return set(w.run(f'find /run {skip} -print; find /dev/shm; ls -d /tmp/* 2>/dev/null', check=False).stdout.split())


def nothing_left(w, d, p, before):
    try:
        waiting.until(lambda: not d.processes(p.unit), 'the end of all its processes', 5, pause=0.02)
    except waiting.Late:
        raise AssertionError(f'processes left: {d.processes(p.unit)}') from None
    for path in p.there:
        assert not w.exists(path), f'{path} is left'
    left = [f for f in found_below_run(w) - before if not any(fnmatch.fnmatch(f, pattern) for pattern in p.left)]
    assert not left, f'left behind: {sorted(left)}'
    p.again(w)
    with pytest.raises(Exception):
        p.ask(w)


def test_one_through_the_other(world, machine):
    """postgresql.service does nothing itself: its clusters are reloaded with it and end with it (ReloadPropagatedFrom=,
    PartOf=), though nobody names them."""
    w, d = world, machine
    p = next(p for p in packages.table() if p.unit == 'postgresql@17-main.service')
    with cleared(w, d, p):
        try:
            d.start(p.unit, 'postgresql.service')
            answers(w, d, p, p.says, True)
            p.change(w)
            d.do('reload', 'postgresql.service')
            answers(w, d, p, p.then, False)
            d.do('stop', 'postgresql.service')
            waiting.until(lambda: d.state(p.unit)[0] == 'inactive', 'the end of the cluster', 20)
            assert not w.exists('/run/postgresql/17-main.pid')
        finally:
            d.do('stop', 'postgresql.service', check=False)


# Of those that want the same port one each.
TOGETHER = ('nginx', 'apache2', 'haproxy', 'varnish', 'php8.4-fpm', 'ssh', 'unbound', 'chrony', 'tor@default', 'snmpd', 'exim4',
            'vsftpd', 'redis-server', 'memcached', 'mosquitto', 'postgresql@17-main', 'mariadb', 'beanstalkd', 'slapd', 'cron')


def test_twenty_together(world, machine):
    """All are up when the start returns, each answers, the death of one is nobody else's, and the stop leaves nothing."""
    w, d = world, machine
    chosen = [p for p in packages.table() if p.name in TOGETHER]
    assert len(chosen) == len(TOGETHER)
    for p in chosen:
        d.clear(p)
        p.prepare(w)
        p.again(w)
    before, units = found_below_run(w), [p.unit for p in chosen]
    try:
        d.start(*units)
        for p in chosen:
            answers(w, d, p, p.says, p.ready)
        mains = {p.name: up(w, d, p) for p in chosen}
        w.kill(mains['redis-server'], signal.SIGKILL)
        waiting.until(lambda: d.state('redis-server.service')[1] not in (0, mains['redis-server']), 'its restart', 20, pause=0.02)
        for p in chosen:
            answers(w, d, p, p.says, p.name != 'redis-server' and p.ready)
            assert p.name == 'redis-server' or d.state(p.unit)[:2] == ('active', mains[p.name])
        d.stop_all(units)
        assert all(d.state(u)[0] == 'inactive' for u in units)
        allowed = [pattern for p in chosen for pattern in p.left]
        left = [f for f in found_below_run(w) - before if not any(fnmatch.fnmatch(f, pattern) for pattern in allowed)]
        assert not left and not any(d.processes(u) for u in units), f'{left} {[d.processes(u) for u in units]}'
    finally:
        for p in chosen:
            d.clear(p)


def test_sessions_outlive_their_server(world, machine):
    """KillMode=process: who is logged in stays so when ssh.service is stopped, or restarted."""
    w, d = world, machine
    p = next(p for p in packages.table() if p.unit == 'ssh.service')
    with cleared(w, d, p):
        d.start(p.unit)
        session = w.spawn(['ssh', '-q', '-i', '/root/t.key', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null',
                           'alice@127.0.0.1', 'echo logged in; read line; echo $line'], stdin=subprocess.PIPE)
        try:
            assert session.stdout.readline() == 'logged in\n'
            d.do('restart', p.unit)
            answers(w, d, p, p.says, True)
            d.stop(p)
            assert session.communicate('still here\n', timeout=10)[0] == 'still here\n'
        finally:
            session.kill()
            session.communicate()


def test_known_by_another_name(world, machine):
    """bind9.service is a symbolic link to named.service."""
    w, d = world, machine
    p = next(p for p in packages.table() if p.unit == 'named.service')
    with cleared(w, d, p):
        d.start('bind9.service')
        answers(w, d, p, p.says, True)
        main = up(w, d, p)
        assert d.state('bind9.service') == d.state('named.service')
        d.do('start', 'named.service')
        assert up(w, d, p) == main, 'the start of what is up does nothing'
        d.do('stop', 'bind9.service')
        assert d.state('named.service')[0] == 'inactive'


def test_every_unit_file_loads(world):
    """Each .service file of all packages: explained as JSON, verified without a crash. What is not known is said."""
    w = world
    everywhere = 'find /usr/lib/systemd/system /etc/systemd/system -maxdepth 1 -name "*.service"'
    masked = w.run(f"{everywhere} -lname /dev/null -printf '%f\\n'").stdout.split()
    names = set(w.run(f"{everywhere} -printf '%f\\n'").stdout.split()) - set(masked)
    names = [name.replace('@.', '@x-y.') for name in sorted(names)]
    assert len(names) > 70
    for name in names:
        r = w.run(['amphid', 'explain', name, '--json'], check=False)
        assert r.returncode == 0 and json.loads(r.stdout), f'{name}: exit {r.returncode}: {r.stderr}'
    r = w.run(['amphid', 'verify', *names], check=False)
    assert r.returncode in (0, 1) and 'unknown' not in r.stdout + r.stderr, r.stdout + r.stderr
