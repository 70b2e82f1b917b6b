"""The life of an instance: started by hand, seen, logged, reloaded, stopped."""
import json
import re
import signal

import waiting
from instance import END, START, http, http_up, in_order, next_port, started, web
from registry import scenario


@scenario
def package_is_sane(w):
    """Installed means: configured, and the service is in the state that its world says it is in."""
    got = w.run(['dpkg-query', '-W', '-f', '${db:Status-Abbrev} ${Version}', 'amphid']).stdout.split()
    assert got[0] == 'ii'
    assert re.fullmatch(r'amphid \d+\.\d+\.\d+', w.run(['amphid', '--version']).stdout.strip())
    if w.init == 'systemd':
        assert w.run(['systemctl', 'is-enabled', 'amphid']).stdout.strip() == 'enabled'
        assert w.run(['systemctl', 'is-active', 'amphid']).stdout.strip() == 'active'
        assert w.run(['systemctl', 'is-system-running']).stdout.strip() == 'running'
    elif w.init == 'sysvinit':
        assert w.service('status').returncode == 0
        assert w.run('ls /etc/rc2.d/S*amphid /etc/rc0.d/K*amphid').stdout.count('amphid') == 2
    else:
        assert w.run(['amphid', 'status', 'amphid'], check=False).returncode in (0, 3)


@scenario
def http_server_by_hand(w):
    """The main job on real input: the web server of Python's library, by hand, from its start to its stop."""
    port = next_port()
    with started(w, 'httpd', 'python3', '-m', 'http.server', str(port), '--bind', '127.0.0.1',
                 '--directory', '/usr/share/common-licenses') as i:
        status, body = http_up(w, port, '/BSD')
        assert status == 200 and body == w.read('/usr/share/common-licenses/BSD')
        said = i.status()
        assert (said['running'], said['pid'], said['mode'], said['state']) == (True, i.pid, 'fork', 'up')
        job = said['jobs'][0]
        assert (job['state'], job['command'][:3]) == ('up', ['python3', '-m', 'http.server'])
        assert w.identity(job['mainPid'])[0] == i.pid, 'the command is no child of the daemon'
        row = w.run(['amphid', 'list']).stdout
        assert re.search(rf'^httpd +up .* {i.pid} ', row, re.M), row
        assert str(i.pid) in w.run(['amphid', 'status', 'httpd']).stdout
        main = job['mainPid']
        i.stop()
        i.assert_stopped()
        assert not w.running(main)
        in_order(START + END, i.records(until='stopped'))


@scenario
def stages_tell_the_identity(w):
    """The article's experiment, as the log tells it: what becomes of PPID, PID, PGID, SID and TTY."""
    with web(w, 'stages') as i:
        got = {r['stage']: {k: r[k] for k in ('ppid', 'pid', 'pgid', 'sid', 'tty')}
               for r in i.records(until='ready')}
        real = w.identity(i.pid)
    start, one, leader, two, up = (got[s] for s in ('start', 'fork-1', 'setsid', 'fork-2', 'ready'))
    assert one['pid'] != start['pid'] and (one['pgid'], one['sid']) == (start['pgid'], start['sid'])
    assert leader['pid'] == leader['pgid'] == leader['sid'] == one['pid']
    assert two['pid'] not in (leader['pid'], start['pid'])
    assert two['pgid'] == two['sid'] == leader['sid']
    for later in ('fork-2', 'detached', 'pidfile', 'ready'):
        assert got[later]['pid'] == str(i.pid) and got[later]['tty'] == '-', later
    assert [int(up[k]) for k in ('ppid', 'pid', 'pgid', 'sid')] == list(real[:4])
    assert up['ppid'] == '1' and up['pid'] != up['pgid'] == up['sid'] and real[4] == 0


@scenario
def log_is_where_it_should_be(w):
    """The right place in each world, and with the right priority and facility where the place knows them."""
    with web(w, 'logged') as i:
        log = i.status()['log']
        assert log == {'file': 'file:/var/log/amphid/logged.log'}.get(w.log, w.log)
        if w.log == 'file':
            assert '/var/log/amphid/logged.log' in i.starter.stderr, 'the file is not named to the user'
        up = next(r for r in i.records(until='ready') if r['stage'] == 'ready')
        assert up['message'] and up['facility'] == 3
        if w.init == 'systemd':
            raw = up['raw']
            assert re.fullmatch('[0-9a-f]{32}', raw['MESSAGE_ID'])
            assert raw['_PID'] == raw['SYSLOG_PID'] == raw['AMPHID_PID'] == str(i.pid)
            assert int(raw['PRIORITY']) in (5, 6)
        else:
            assert up['log_pid'] == i.pid
        main = i.main_pid
        assert int(up['main_pid']) == main
        i.stop()
    gone = next(r for r in i.records(until='child-exit') if r['stage'] == 'child-exit')
    assert (gone['exit_code'], gone['exit_status']) == ('exited', '0')
    assert (int(gone['main_pid']), int(gone['pid'])) == (main, i.pid)


@scenario
def output_has_its_own_identifier(w):
    """Every line of the command, in order, none lost at its end, not even one without a newline."""
    w.write('/opt/chatty.sh', 'echo out one\necho err two >&2\nread line < /run/chatty.fifo\n'
            'i=0; while [ $i -lt 200 ]; do echo "line $i"; i=$((i+1)); done\nprintf "the end"\n')
    w.run(['mkfifo', '/run/chatty.fifo'])
    with started(w, 'chatty', 'sh', '/opt/chatty.sh', opts=('-p', 'SyslogIdentifier=chatter')) as i:
        w.output('chatter', until='err two', name='chatty')
        w.run('echo go > /run/chatty.fifo')
        w.wait_gone(i.pid)
    got = w.output('chatter', until='the end', name='chatty')
    assert sorted(got[:2]) == ['err two', 'out one']
    assert got[2:] == [f'line {n}' for n in range(200)] + ['the end']


@scenario
def reload_nginx(w):
    """A real daemon that reloads on SIGHUP: the page changes, the process does not."""
    port = next_port()

    def conf(page):
        w.write('/etc/amphid-nginx.conf', NGINX % {'port': port, 'page': page})
    conf('one')
    with started(w, 'ng', 'nginx', '-c', '/etc/amphid-nginx.conf') as i:
        assert http_up(w, port) == [200, 'one']
        main = i.main_pid
        conf('two')
        i.reload()
        waiting.until(lambda: http(w, port) == [200, 'two'], 'the new page')
        assert i.main_pid == main and i.status()['state'] == 'up'
        w.kill(i.pid, signal.SIGHUP)
        waiting.until(lambda: [r['stage'] for r in i.records()].count('reload') == 2, 'the reload by SIGHUP')
        i.stop()
        i.assert_stopped()
        assert not w.running(main)


NGINX = '''
daemon off; worker_processes 1; pid /run/amphid-nginx.pid; error_log stderr;
events {}
http { access_log off; server { listen 127.0.0.1:%(port)d; return 200 "%(page)s"; } }
'''


@scenario
def notify_service(w):
    """Type=notify: the starter returns when the service is up, and what it says of itself is shown."""
    w.write('/srv/page', 'first')
    with web(w, 'pages', '/srv/page') as i:
        assert http(w, i.port) == [200, 'first']
        assert i.job()['statusText'] == 'serving pages'
        w.write('/srv/page', 'second')
        i.reload()
        waiting.until(lambda: i.job()['statusText'] == 'serving new pages', 'the end of the reload')
        assert http(w, i.port) == [200, 'second']
        w.output('pages', until='web: page read again')


@scenario
def lsb_codes(w):
    """Of what does not run, and of what died and left its PID file."""
    for verb, code in (('status', 3), ('stop', 0), ('reload', 7), ('wait', 7)):
        w.run(['amphid', verb, 'nobody-home'], check=code)
    with started(w, 'victim', 'sleep', 'infinity') as i:
        w.run(['amphid', 'status', 'victim'], check=0)
        child = i.main_pid
        w.kill(i.pid, signal.SIGKILL)
        w.wait_gone(i.pid)
        w.run(['amphid', 'status', 'victim'], check=1)
        assert 'dead' in w.run(['amphid', 'status', 'victim'], check=1).stdout
        if w.running(child):
            w.kill(child, signal.SIGKILL)
        with started(w, 'victim', 'sleep', 'infinity') as again:
            assert again.pid != i.pid and again.status()['state'] == 'up'
    w.run(['amphid', 'status', 'victim'], check=3)


@scenario
def already_running(w):
    with started(w, 'single', 'sleep', 'infinity') as i:
        r = w.run(['amphid', '--fork', '-n', 'single', '--', 'sleep', 'infinity'], check=1)
        assert f'already running as PID {i.pid}' in r.stderr
        assert i.status()['pid'] == i.pid


@scenario
def wait_tells_the_end(w):
    w.run(['mkfifo', '/run/wait.fifo'])
    with started(w, 'ends', 'sh', '-c', 'read x < /run/wait.fifo; exit 5') as i:
        waiter = w.spawn(['amphid', 'wait', 'ends'])
        waiting.until(lambda: w.connections('/run/amphid/ends/control') == 1, 'the connection of amphid wait')
        w.run('echo x > /run/wait.fifo')
        assert waiter.wait(10) == 5
        i.assert_stopped()


@scenario
def extra_pidfile(w):
    with started(w, 'filed', 'sleep', 'infinity', opts=('--pidfile', '/run/filed.pid')) as i:
        assert w.read('/run/filed.pid').strip() == str(i.pid)
        i.stop()
        i.assert_stopped()
        assert not w.exists('/run/filed.pid')


@scenario
def stubborn_command_is_killed(w):
    with started(w, 'stubborn', 'python3', '-c', STUBBORN, opts=('-p', 'TimeoutStopSec=300ms',
                                                                 '-p', 'Type=notify')) as i:
        main = i.main_pid
        i.stop()
        i.assert_stopped()
        assert not w.running(main)
        got = i.records(until='failed')
        gone = next(r for r in got if r['stage'] == 'child-exit')
        assert got[-1]['stage'] == 'failed' and got[-1]['result'] == 'timeout'
        assert (gone['exit_code'], gone['exit_status']) == ('killed', '9')


STUBBORN = '''
import os, signal, socket
signal.signal(signal.SIGTERM, signal.SIG_IGN)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])
while True:
    signal.pause()
'''


@scenario
def inspect_judges(w):
    """What daemon(7) wants is what a daemon of ours is, and a plain shell is not."""
    with started(w, 'model', 'sleep', 'infinity') as i:
        r = w.run(['amphid', 'inspect', str(i.pid)], check=0)
        numbers = [str(n) for n in w.identity(i.pid)[:4]]
        assert all(n in r.stdout.split() for n in numbers), r.stdout
        verdict = json.loads(w.run(['amphid', 'inspect', str(i.pid), '--json'], check=0).stdout)
        assert (verdict['pid'], verdict['ok'], verdict['tty']) == (i.pid, True, '-'), verdict
    w.run(['amphid', 'inspect', '4194300'], check=3)
    # A process that nobody made a daemon of: it has our pipes, our session and our directory.
    plain = w.run('cd /usr; amphid inspect $$ --json', check=1)
    assert json.loads(plain.stdout)['ok'] is False
