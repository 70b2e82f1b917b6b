"""What is around an instance: variables, descriptors, terminals, users."""
import json
import os
import re
import signal

import waiting
from instance import WEB, Instance, http, in_order, next_port, started, web
from registry import scenario

LEAKED = {'SYSTEMD_EXEC_PID': '1', 'INVOCATION_ID': 'f' * 32, 'JOURNAL_STREAM': '8:4711',
          'WATCHDOG_USEC': '1000000', 'WATCHDOG_PID': '1'}


def listener(w, name):
    """A notify socket in the world, with the test behind it."""
    path = w.path(f'/run/{name}')
    if os.path.exists(path):
        os.unlink(path)
    sock = waiting.NotifySocket(path)
    os.chmod(path, 0o777)
    return sock


@scenario
def leaked_variables_are_dropped(w):
    """Started in the shell of a service: NOTIFY_SOCKET and its like are an ancestor's, not ours."""
    sock = listener(w, 'leak.sock')
    try:
        with web(w, 'leaked', env=dict(LEAKED, NOTIFY_SOCKET='/run/leak.sock', KEEP='me')) as i:
            assert i.status()['mode'] == 'fork'
            env = json.loads(http(w, i.port, '/env')[1])
            assert env['KEEP'] == 'me'
            assert not set(LEAKED.items()) & set(env.items()), env  # INVOCATION_ID is said anew, of this service
            assert env.get('NOTIFY_SOCKET') == '/run/amphid/leaked/notify'
            in_order(['detect', 'fork-1', 'fork-2'], i.records(until='ready'))
            detect = next(r for r in i.records() if r['stage'] == 'detect')
            assert detect['mode'] == 'fork' and 'leaked' in detect['reason'], detect
        assert not sock.pending(), 'the ancestor was told of a service that is not its own'
    finally:
        sock.close()


@scenario
def another_supervisor(w):
    """NOTIFY_SOCKET without systemd's variables: podman, s6 and their like. Not forked, and told everything."""
    sock = listener(w, 'super.sock')
    port = next_port()
    p = w.spawn(['amphid', '--fork', '-n', 'supervised', '-p', 'Type=notify', '--', 'python3', WEB, str(port)],
                env={'NOTIFY_SOCKET': '/run/super.sock'})
    try:
        def alive():
            return p.poll() is None
        assert sock.wait('READY', alive, 10) == '1'
        i = Instance(w, 'supervised')
        assert i.status()['mode'] == 'systemd' and 'STATUS' in sock.seen
        if w.log == 'file':  # not forked, so there is a stderr to log to
            assert any('fork is skipped' in line for line in iter(p.stdout.readline, ''))
        else:
            detect = next(r for r in i.records(until='ready') if r['stage'] == 'detect')
            assert 'skipped' in detect['reason'], detect
        i.reload()
        sock.wait('RELOADING', alive, 10)
        assert int(sock.seen['MONOTONIC_USEC']) > 0
        w.kill(i.pid, signal.SIGTERM)
        assert p.wait(10) == 0
        sock.drain()
        assert sock.seen.get('STOPPING') == '1'
    finally:
        p.kill()
        p.communicate()
        sock.close()


@scenario
def foreground(w):
    """Without --fork: the terminal's output, the command's own status, SIGTERM as a clean end."""
    r = w.run(['amphid', '-n', 'fore', '--', 'sh', '-c', 'echo to stdout; echo to stderr >&2; exit 9'], check=9)
    assert 'to stdout' in r.stdout and 'to stderr' in r.stderr
    w.run(['amphid', '-n', 'fore', '--', 'sh', '-c', 'kill -USR1 $$'], check=128 + signal.SIGUSR1)
    port = next_port()
    p = w.spawn(['amphid', '-n', 'fore', '-p', 'Type=notify', '--', 'python3', WEB, str(port)])
    try:
        # With neither journal nor syslog our own log is on this terminal too: it is the command's line that counts.
        assert 'web: serving\n' in iter(p.stdout.readline, '')
        i = Instance(w, 'fore')
        assert i.status()['mode'] == 'foreground'
        i.stop()
        assert p.wait(10) == 0
        i.assert_stopped()
    finally:
        p.kill()
        p.communicate()


@scenario
def survives_its_terminal(w):
    """Started on a real terminal, which then hangs up."""
    r = w.run(['python3', '-c', PTY, 'amphid', '--fork', '--trace', '-n', 'term', '--', 'sleep', 'infinity'])
    try:
        assert r.stdout.split()[-1] == 'exit=0', r.stdout
        i = Instance(w, 'term')
        assert i.status()['state'] == 'up'
        got = {x['stage']: x for x in i.records(until='ready')}
        assert re.fullmatch(r'pts/\d+', got['start']['tty']) and got['setsid']['tty'] == '-'
        assert w.identity(i.pid)[4] == 0 and w.identity(i.main_pid)[4] == 0
        for pid in (i.pid, i.main_pid):
            for fd in (0, 1, 2):
                assert 'pts' not in os.readlink(w.path(f'/proc/{pid}/fd/{fd}'))
        # --trace has drawn the table, a row a stage.
        rows = [line.split()[0] for line in r.stdout.replace('\r', '').splitlines() if line.split()]
        wanted = ['STAGE', 'fork-1', 'setsid', 'fork-2', 'ready']
        assert [x for x in rows if x in wanted] == wanted, r.stdout
    finally:
        w.run(['amphid', 'stop', 'term'], check=False)


PTY = '''
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
out = b''
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    out += data
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
os.close(fd)
print(out.decode(), f'exit={code}')
'''


@scenario
def caller_is_forgotten(w):
    """Descriptors, umask, directory, ignored and blocked signals of the caller do not survive in the daemon."""
    w.run(['python3', '-c', DIRTY, 'amphid', '--fork', '-n', 'clean', '--', 'sleep', 'infinity'], cwd='/usr')
    try:
        i = Instance(w, 'clean')
        targets = {fd: os.readlink(w.path(f'/proc/{i.pid}/fd/{fd}'))
                   for fd in os.listdir(w.path(f'/proc/{i.pid}/fd'))}
        assert {targets[fd] for fd in '012'} == {'/dev/null'}
        assert not [t for t in targets.values() if 'licenses' in t]
        assert sorted(os.listdir(w.path(f'/proc/{i.main_pid}/fd'))) == ['0', '1', '2']
        for pid in (i.pid, i.main_pid):
            cwd = w.run(['readlink', f'/proc/{pid}/cwd']).stdout.strip()
            assert cwd == '/', f'{pid} works in {cwd}'
            status = w.status_of(pid)
            if pid == i.main_pid:
                assert int(status['SigBlk'], 16) == 0 and int(status['SigIgn'], 16) == 0
            assert int(status['Umask'], 8) in (0o000, 0o022)
    finally:
        w.run(['amphid', 'stop', 'clean'], check=False)


DIRTY = '''
import os, signal, sys
os.dup2(os.open('/usr/share/common-licenses/BSD', os.O_RDONLY), 50)  # inheritable, as shells do it
os.umask(0o077)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM})
os.execvp(sys.argv[1], sys.argv[1:])
'''


def user_life(w, name, base, env):
    with web(w, name, user='alice', base=base, env=env) as i:
        assert http(w, i.port)[0] == 200
        st = w.stat(base)
        assert (st.st_uid, st.st_mode & 0o777 & ~0o055) == (1000, 0o700)
        assert w.status_of(i.pid)['Uid'].split() == ['1000'] * 4
        if w.log == 'file':
            home = '/home/alice/.local/state/amphid'
            assert f'{home}/{name}.log' in i.starter.stderr
            assert 'stage=ready' in w.read(f'{home}/{name}.log')
        else:
            in_order(['start', 'fork-1', 'setsid', 'fork-2', 'ready'], i.records(until='ready'))
        i.stop()
        i.assert_stopped()
    return st


@scenario
def user_with_runtime_directory(w):
    w.run('mkdir -p -m 0700 /run/user/1000 && chown alice: /run/user/1000')
    user_life(w, 'mine', '/run/user/1000/amphid', {'XDG_RUNTIME_DIR': '/run/user/1000'})


@scenario
def user_without_runtime_directory(w):
    st = user_life(w, 'mine-too', '/tmp/amphid-1000', {})
    assert st.st_mode & 0o777 == 0o700


@scenario
def user_may_look_but_not_touch(w):
    with started(w, 'roots', 'sleep', 'infinity') as i:
        assert json.loads(w.run(['amphid', 'status', 'roots', '--json'], user='alice').stdout)['pid'] == i.pid
        for verb in ('stop', 'reload'):
            r = w.run(['amphid', verb, 'roots'], user='alice', check=False)
            assert r.returncode in (1, 4) and r.stderr.startswith('amphid: ')
        assert i.status()['state'] == 'up'


@scenario
def privileges_are_dropped(w):
    with web(w, 'lowly', opts=('-p', 'User=alice', '-p', 'NoNewPrivileges=yes', '-p', 'Nice=5',
                               '-p', 'LimitNOFILE=99')) as i:
        status = w.status_of(i.main_pid)
        assert status['Uid'].split() == ['1000'] * 4 and status['Gid'].split() == ['1000'] * 4
        assert status['NoNewPrivs'].strip() == '1'
        assert re.search(r'^Max open files +99 +99 ', w.read(f'/proc/{i.main_pid}/limits'), re.M)
        assert w.status_of(i.pid)['Uid'].split()[0] == '0', 'the daemon itself stays who it is'
        in_order(['privileges', 'exec', 'ready'], i.records(until='ready'))
        assert json.loads(http(w, i.port, '/env')[1])['HOME'] == '/home/alice'


@scenario
def passed_sockets_survive(w):
    """A listening socket of the caller, passed as systemd does it: the server must not bind by itself."""
    port = next_port()
    r = w.run(['python3', '-c', PASS, str(port), 'amphid', '--fork', '-n', 'passed', '-p', 'Type=notify', '--',
               'python3', WEB, '1'])
    try:
        assert r.returncode == 0 and http(w, port) == [200, 'hello']
        i = Instance(w, 'passed')
        env = json.loads(http(w, port, '/env')[1])
        assert (env['LISTEN_FDS'], env['LISTEN_PID']) == ('1', str(i.main_pid))
    finally:
        w.run(['amphid', 'stop', 'passed'], check=False)


PASS = '''
import os, socket, sys
s = socket.create_server(('127.0.0.1', int(sys.argv[1])))
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
'''


@scenario
def detect_tells_the_truth(w):
    facts = json.dumps(json.loads(w.run(['amphid', 'detect', '--json']).stdout))
    text = w.run(['amphid', 'detect']).stdout
    assert f'"{w.comm}"' in facts and w.comm in text
    assert '"foreground"' in facts and '"fork"' in facts
    leaked = w.run(['amphid', 'detect'], env=dict(LEAKED, NOTIFY_SOCKET='/run/systemd/notify')).stdout
    assert 'leaked' in leaked
