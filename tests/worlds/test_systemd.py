"""What only a booted systemd can show: units of each type, status texts, the watchdog, the journal."""
import json
import os
import re
import signal

import pytest

import waiting
from instance import WEB, http, http_up, in_order, next_port
from units import Unit, quoted, unit

ONLY = ('systemd-247', 'systemd-252', 'systemd-257')


def web_command(port, name, *opts, type_='notify', page=''):
    return f'/usr/bin/amphid -n {name} -p Type={type_} {" ".join(opts)} -- /usr/bin/python3 {WEB} {port} {page}'


def test_resident_service(world):
    """amphid.service from the package: start, status, reload, stop."""
    u = Unit(world, 'amphid')
    u.do('restart')
    assert (u['ActiveState'], u['SubState'], u['Type']) == ('active', 'running', 'notify')
    assert u['StatusText'] == 'no jobs'
    assert 'Status: "no jobs"' in world.run(['systemctl', 'status', 'amphid']).stdout
    pid = int(u['MainPID'])
    status = json.loads(world.run(['amphid', 'status', 'amphid', '--json']).stdout)
    assert (status['pid'], status['mode'], status['jobs']) == (pid, 'systemd', [])
    u.do('reload')
    assert int(u['MainPID']) == pid and u['StatusText'] == 'no jobs'
    u.do('stop')
    assert (u['ActiveState'], u['Result'], u['ExecMainStatus'], u['ExecMainCode']) == ('inactive', 'success', '0', '1')
    world.run(['amphid', 'status', 'amphid'], check=3)
    assert not world.exists('/run/amphid/amphid')
    in_order(['detect', 'ready', 'reload', 'reload', 'stopping', 'stopped'],  # asked for, and what it has led to
             [r for r in world.records('amphid', until='stopped') if r['pid'] == str(pid)])
    u.do('start')
    assert u['ActiveState'] == 'active'


def test_shipped_unit_verifies(world):
    where = world.show('amphid', 'FragmentPath')
    # --man: these small roots have no man(1).
    r = world.run(['systemd-analyze', '--man=no', 'verify', where])
    assert (r.stdout, r.stderr) == ('', '')


def test_type_notify(world):
    port = next_port()
    world.write('/srv/unit-page', 'one')
    with unit(world, 't-notify', Type='notify', ExecStart=web_command(port, 't-notify', page='/srv/unit-page'),
              ExecReload='/bin/kill -HUP $MAINPID') as u:
        u.do('start')
        assert http(world, port) == [200, 'one'], 'READY=1 before the service was up'
        pid = int(u['MainPID'])
        assert world.read(f'/proc/{pid}/comm').strip() == 'amphid'
        assert u['StatusText'] not in ('', '[not set]')
        env = json.loads(http(world, port, '/env')[1])
        assert env['NOTIFY_SOCKET'] != '/run/systemd/notify' and 'WATCHDOG_USEC' not in env
        assert 'INVOCATION_ID' in env, 'what is meant for the whole unit stays'
        world.write('/srv/unit-page', 'two')
        u.do('reload')
        waiting.until(lambda: http(world, port) == [200, 'two'], 'the new page')
        assert int(u['MainPID']) == pid
        got = world.records('t-notify', until='ready')
        detect = next(r for r in got if r['stage'] == 'detect')
        assert detect['mode'] == 'systemd'
        assert not {'fork-1', 'setsid', 'fork-2'} & {r['stage'] for r in got}, 'a new-style daemon does not fork'
        u.do('stop')
        assert u['Result'] == 'success'


def test_fork_is_skipped_in_type_notify(world):
    with unit(world, 't-skip', Type='notify', ExecStart='/usr/bin/amphid --fork -n t-skip -- /bin/sleep infinity') as u:
        u.do('start')
        pid = int(u['MainPID'])
        assert json.loads(world.run(['amphid', 'status', 't-skip', '--json']).stdout)['pid'] == pid
        got = world.records('t-skip', until='ready')
        assert 'fork-1' not in {r['stage'] for r in got}
        detect = next(r for r in got if r['stage'] == 'detect')
        assert detect['mode'] == 'systemd' and 'skipped' in detect['message'] + detect['reason']


@pytest.mark.parametrize('type_', ['simple', 'exec'])
def test_type_simple_and_exec(world, type_):
    port = next_port()
    name = f't-{type_}'
    with unit(world, name, Type=type_, ExecStart=web_command(port, name)) as u:
        u.do('start')
        assert http_up(world, port) == [200, 'hello']
        status = json.loads(world.run(['amphid', 'status', name, '--json']).stdout)
        assert (status['pid'], status['mode'], status['log']) == (int(u['MainPID']), 'foreground', 'journal')
        in_order(['detect', 'exec', 'ready'], world.records(name, until='ready'))
        u.do('stop')
        assert u['Result'] == 'success'


def test_type_forking(world):
    port = next_port()
    command = web_command(port, 't-fork', '--fork')
    with unit(world, 't-fork', Type='forking', PIDFile='/run/amphid/t-fork/pid', ExecStart=command) as u:
        u.do('start')
        assert http(world, port) == [200, 'hello']
        pid = int(u['MainPID'])
        status = json.loads(world.run(['amphid', 'status', 't-fork', '--json']).stdout)
        assert (status['pid'], status['mode']) == (pid, 'fork')
        identity = world.identity(pid)
        assert identity[0] == 1 and identity[1] != identity[2] == identity[3]
        u.do('stop')
        assert u['Result'] == 'success'
        world.run(['amphid', 'status', 't-fork'], check=3)


def test_failed_start_is_reported(world):
    """The manager learns more than that it failed."""
    with unit(world, 't-fail', Type='notify', ExecStart='/usr/bin/amphid -n t-fail -- /nonexistent/program') as u:
        assert u.do('start', check=False).returncode != 0
        assert (u['Result'], u['ExecMainStatus']) == ('exit-code', '203')
        assert u['StatusErrno'] == '2', u.log()
        assert '/nonexistent/program' in u.log()


def test_exit_status_of_the_command(world):
    with unit(world, 't-exit', Type='simple', ExecStart="/usr/bin/amphid -n t-exit -- /bin/sh -c 'exit 7'") as u:
        u.do('start', check=False)
        u.until('ActiveState', 'failed')
        assert (u['Result'], u['ExecMainStatus']) == ('exit-code', '7')


def test_watchdog(world):
    """Alive it is left alone; stopped (as a hanging loop would be) it is killed and started anew."""
    port = next_port()
    with unit(world, 't-dog', Type='notify', ExecStart=web_command(port, 't-dog'), WatchdogSec='1', Restart='always',
              WatchdogSignal='SIGKILL', RestartSec='0') as u:
        u.do('start')
        pid = int(u['MainPID'])
        seen = {u['WatchdogTimestampMonotonic']}

        def pinged():
            seen.add(u['WatchdogTimestampMonotonic'])
            return len(seen) >= 5
        waiting.until(pinged, 'four pings', 10)
        assert int(u['MainPID']) == pid and u['NRestarts'] == '0'
        world.kill(pid, signal.SIGSTOP)
        world.wait_gone(pid)
        u.until('NRestarts', '1')
        u.until('ActiveState', 'active')
        assert int(u['MainPID']) != pid
        assert 'Watchdog timeout' in u.log()
        assert http_up(world, port) == [200, 'hello'], 'the old command still holds the port'


@pytest.mark.parametrize('action', ['none', 'watchdog'])
def test_watchdog_of_the_unhealthy(world, action):
    """WatchdogSec= of a unit comes true for any program: unhealthy, it is ended and the manager starts it anew.

    In both cases it is the manager alone who acts: he is told nothing more."""
    name, sick = f't-sick-{action}', f'/run/t-sick-{action}'
    command = quoted(['/usr/bin/amphid', '-n', name, f'--health=exec:test ! -e {sick}', '--health-interval=100ms',
                      '--health-retries=2', f'--health-action={action}', '--', 'sleep', 'infinity'])
    with unit(world, name, Type='notify', ExecStart=command, WatchdogSec='1', Restart='always', RestartSec='0') as u:
        u.do('start')
        world.run(['amphid', 'wait', name, '--for=healthy', '--timeout=10s'])
        pid = int(u['MainPID'])
        main = json.loads(world.run(['amphid', 'status', name, '--json']).stdout)['jobs'][0]['mainPid']
        seen = {u['WatchdogTimestampMonotonic']}
        waiting.until(lambda: seen.add(u['WatchdogTimestampMonotonic']) or len(seen) >= 4, 'three pings')
        assert int(u['MainPID']) == pid and u['NRestarts'] == '0'
        world.write(sick, '')
        world.wait_gone(pid)
        world.run(['rm', sick])
        u.until('NRestarts', '1')
        u.until('ActiveState', 'active')
        assert not world.running(main) and int(u['MainPID']) != pid
        assert 'Watchdog timeout' in u.log()
        world.run(['amphid', 'wait', name, '--for=healthy', '--timeout=10s'])


def test_slow_start_shows_life(world):
    """The command asks for more time: it reaches the manager, whose own patience is shorter."""
    port = next_port()
    slow = ("import os, socket, time; n = os.environ['NOTIFY_SOCKET']; s = socket.socket(1, 2); "
            "[(s.sendto(b'EXTEND_TIMEOUT_USEC=1500000', n), time.sleep(0.5)) for i in range(5)]; "
            f"os.execv('/usr/bin/python3', ['python3', '{WEB}', '{port}'])")
    world.write('/opt/slow.py', slow.replace('; ', '\n') + '\n')
    with unit(world, 't-slow', Type='notify', TimeoutStartSec='1500ms',
              ExecStart='/usr/bin/amphid -n t-slow -p Type=notify -p TimeoutStartSec=1500ms -- '
                        '/usr/bin/python3 /opt/slow.py') as u:
        u.do('start')
        assert http(world, port) == [200, 'hello']


def test_notify_reload(world):
    if world.version < 253:
        pytest.skip(f'systemd {world.version} has no Type=notify-reload (253)')
    port = next_port()
    world.write('/srv/nr-page', 'one')
    with unit(world, 't-nr', Type='notify-reload', ExecStart=web_command(port, 't-nr', page='/srv/nr-page')) as u:
        u.do('start')
        world.write('/srv/nr-page', 'two')
        u.do('reload')
        assert http(world, port) == [200, 'two'], 'the reload was over before the command had reloaded'
        assert u['ActiveState'] == 'active'


def test_socket_activation(world):
    port = next_port()
    world.write('/etc/systemd/system/t-sock.socket', f'[Socket]\nListenStream=127.0.0.1:{port}\n')
    try:
        with unit(world, 't-sock', Type='notify', ExecStart=web_command(1, 't-sock')) as u:
            world.run(['systemctl', 'start', 't-sock.socket'])
            assert u['ActiveState'] == 'inactive'
            assert http(world, port) == [200, 'hello']
            assert u['ActiveState'] == 'active'
            world.run(['systemctl', 'stop', 't-sock.socket'])
    finally:
        world.run('systemctl stop t-sock.socket; rm -f /etc/systemd/system/t-sock.socket', check=False)


def test_leak_through_a_unit(world):
    """A shell of a notify service starts a daemon by hand: it must be a daemon of its own, and live on."""
    command = ("/bin/sh -c 'systemd-notify --ready; env NOTIFY_SOCKET=/run/systemd/notify "
               "amphid --fork -n t-leak -- sleep infinity; exec sleep infinity'")
    with unit(world, 't-leaker', Type='notify', NotifyAccess='all', ExecStart=command, KillMode='process') as u:
        u.do('start')
        try:
            records = world.records('t-leak', until='ready')
            detect = next(r for r in records if r['stage'] == 'detect')
            assert detect['mode'] == 'fork', detect
            u.do('stop')
            status = json.loads(world.run(['amphid', 'status', 't-leak', '--json']).stdout)
            assert status['state'] == 'up'
            assert 'NOTIFY_SOCKET' not in world.environ(status['jobs'][0]['mainPid'])
        finally:
            world.run(['amphid', 'stop', 't-leak'], check=False)


def test_output_is_a_journal_stream(world):
    """No line passes through us: the command's stdout is journald's own stream, with its own identifier."""
    port = next_port()
    with unit(world, 't-out', Type='notify', ExecStart=web_command(port, 't-out')) as u:
        u.do('start')
        status = json.loads(world.run(['amphid', 'status', 't-out', '--json']).stdout)
        main = status['jobs'][0]['mainPid']
        world.output('t-out', until='web: serving')
        entry = next(e for e in world.journal('SYSLOG_IDENTIFIER=t-out') if e['MESSAGE'] == 'web: serving')
        assert (entry['_TRANSPORT'], entry['_SYSTEMD_UNIT']) == ('stdout', 't-out.service')
        assert int(entry['SYSLOG_FACILITY']) == 3
        assert os.readlink(world.path(f'/proc/{main}/fd/1')).startswith('socket:')


def test_catalog_explains(world):
    """`journalctl -x` has a text for each record, and no @FIELD@ is left in it."""
    Unit(world, 'amphid').do('restart')
    pid = Unit(world, 'amphid')['MainPID']
    world.records('amphid', until='ready')
    out = world.run(['journalctl', '-x', '--no-pager', f'_PID={pid}', 'AMPHID_STAGE=ready']).stdout
    explained = [line for line in out.splitlines() if line.startswith(('-- Subject:', '░░ Subject:'))]
    assert explained and 'amphid' in explained[0] and not re.search('@[A-Z_]+@', out), out
    known = {line.split()[0] for line in world.run(['journalctl', '--list-catalog']).stdout.splitlines()}
    used = {e['MESSAGE_ID'] for e in world.journal('SYSLOG_IDENTIFIER=amphid', '_COMM=amphid') if 'MESSAGE_ID' in e}
    assert used and used <= known
