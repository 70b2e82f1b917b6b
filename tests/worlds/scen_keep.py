"""Kept running: ready when it is true, healthy or made so, restarted, stopped with all that it has started.

Each of these is the wrapper of a unit under systemd and a daemon of `amphid --fork` elsewhere: kept().
"""
import re
import signal
import time

import waiting
from instance import kept, next_port
from registry import scenario

# Waits at a FIFO, then listens on a port and answers one word on each connection.
SLOW = '''
import socket, sys
open(sys.argv[2]).read()
s = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    c, _ = s.accept()
    c.sendall(b'served')
    c.close()
'''
ASK = '''
import socket, sys
print(socket.create_connection(('127.0.0.1', int(sys.argv[1])), 4).recv(99).decode())
'''


def asked(w, port, check=True):
    return w.run(['python3', '-c', ASK, str(port)], check=check)


def processes(w, pattern):
    """The PIDs in the world whose command line is @pattern."""
    return [int(p) for p in w.run(['pgrep', '-fx', pattern], check=False).stdout.split()]


def fifo(w, name):
    w.run(['mkfifo', f'/run/{name}'])
    return f'/run/{name}'


# ---- readiness ----

@scenario
def ready_when_it_answers(w):
    """The starter returns when a connection succeeds, not before; until then everybody is told why not."""
    port, gate = next_port(), fifo(w, 'slow.fifo')
    with kept(w, 'slow', 'python3', '-c', SLOW, port, gate, opts=[f'--ready=tcp:{port}']) as i:
        starter = i.begin_start()
        try:
            job = i.until('readiness', lambda why: why and 'refused' in why)
            assert (job['ready'], job['state']) == (False, 'starting')
            r = i.run('is-ready', 'slow', check=1)
            assert r.stdout.startswith('not ready: ') and 'refused' in r.stdout
            i.run('wait', 'slow', '--for=ready', '--timeout=100ms', check=124)
            assert asked(w, port, check=False).returncode != 0 and starter.poll() is None
            waiter = w.spawn(['amphid', 'wait', 'slow', '--for=ready'])
            w.run(f'echo go > {gate}')
            assert starter.wait(10) == 0, i.trail()
            assert asked(w, port).stdout == 'served\n', 'the starter returned too early'
            assert waiter.wait(10) == 0
            waiter.communicate()
        finally:
            starter.kill()
            starter.communicate()
        i.run('is-ready', 'slow', check=0)
        i.run('is-healthy', 'slow', check=0)
        assert i.job()['ready'] is True and i.job()['restarts'] == 0
        i.stop()
        i.assert_stopped()
    i.run('is-ready', 'slow', check=1)
    i.run('wait', 'slow', '--for=ready', check=7)


@scenario
def never_ready_is_a_failure(w):
    """A probe that never holds: the start fails in time, with what was seen last, and the command is gone."""
    port = next_port()
    with kept(w, 'deaf', 'sleep', '7361', opts=[f'--ready=tcp:{port}', '-p', 'TimeoutStartSec=400ms']) as i:
        r = i.start(check=False)
        assert r.returncode == 1
        got = i.records(until='failed')
        last = next(x for x in got if x['stage'] == 'failed')
        assert last['result'] == 'timeout' and 'refused' in last['message'], last
        assert f'tcp:{port}' in last['message'], last
        if w.init != 'systemd':
            assert 'refused' in r.stderr, r.stderr
        assert not processes(w, 'sleep 7361') and 'ready' not in [x['stage'] for x in got]


@scenario
def ready_by_a_line_of_output(w):
    gate = fifo(w, 'says.fifo')
    with kept(w, 'says', 'sh', '-c', f'echo not yet; read x < {gate}; echo now serving on 80; exec sleep 7362',
              opts=['--ready=log:^now serving']) as i:
        starter = i.begin_start()
        try:
            w.output('says', until='not yet')
            assert i.until('readiness', lambda why: bool(why))['ready'] is False
            assert starter.poll() is None
            w.run(f'echo go > {gate}')
            assert starter.wait(10) == 0, i.trail()
        finally:
            starter.kill()
            starter.communicate()
        got = w.output('says', until='now serving')
        assert got == ['not yet', 'now serving on 80'], 'a line that is read is logged'


@scenario
def ready_when_all_hold(w):
    """A command that succeeds and a file that is there: one of them is not enough."""
    with kept(w, 'both', 'sleep', 'infinity',
              opts=['--ready=exec:test -e /run/both.one', '--ready=file:/run/both.two']) as i:
        starter = i.begin_start()
        try:
            i.until('readiness', lambda why: why and 'exec:' in why and 'file:' in why)
            w.write('/run/both.one', '')
            why = i.until('readiness', lambda why: why and 'exec:' not in why)['readiness']
            assert why.startswith('file:/run/both.two') and starter.poll() is None
            w.write('/run/both.two', '')
            assert starter.wait(10) == 0, i.trail()
        finally:
            starter.kill()
            starter.communicate()


# ---- health ----

SICK = ['--health-interval=100ms', '--health-retries=2', '--health-timeout=2s']


@scenario
def unhealthy_is_restarted(w):
    """A check that fails ends in a new main process, which is counted; who asks is told."""
    with kept(w, 'frail', 'sleep', 'infinity', opts=['--health=exec:test ! -e /run/frail.sick', *SICK]) as i:
        i.start()
        i.run('wait', 'frail', '--for=healthy', '--timeout=10s', check=0)
        i.run('is-healthy', 'frail', check=0)
        main = i.main_pid
        w.write('/run/frail.sick', '')
        i.until('restarts', lambda n: n and n >= 1)
        w.run(['rm', '/run/frail.sick'])
        assert not w.running(main)
        i.until('health', 'healthy')
        assert i.main_pid not in (None, main)
        i.run('is-healthy', 'frail', check=0)
        got = i.records(until='restart')
        assert 'unhealthy' in [x.get('health') for x in got if x['stage'] == 'health'], got
        again = next(x for x in got if x['stage'] == 'restart')
        assert again['restarts'] == '1' and 'unhealthy' in again['message'], again
        # The end of one life was no end of the service for whoever is above: it can be stopped as ever.
        i.stop()
        i.assert_stopped()
        assert w.init != 'systemd' or w.show('frail', 'Result') == 'success'


@scenario
def unhealthy_may_be_only_told(w):
    with kept(w, 'patient', 'sleep', 'infinity',
              opts=['--health=file:/run/patient.well', '--health-action=none', *SICK]) as i:
        i.start()
        job = i.until('health', 'unhealthy')
        assert (job['state'], job['restarts'], job['healthy']) == ('up', 0, False) and job['healthReason']
        r = i.run('is-healthy', 'patient', check=1)
        assert job['healthReason'] in r.stdout
        i.run('is-ready', 'patient', check=0)
        w.write('/run/patient.well', '')
        i.until('health', 'healthy')
        i.run('is-healthy', 'patient', check=0)


@scenario
def unhealthy_as_by_a_watchdog(w):
    """--health-action=watchdog: WatchdogSignal=, and what Restart=on-watchdog makes of it."""
    with kept(w, 'barked', 'sleep', 'infinity', opts=['--health=exec:test ! -e /run/barked.sick', *SICK,
                                                     '--health-action=watchdog', '--restart=on-watchdog']) as i:
        i.start()
        i.until('health', 'healthy')
        w.write('/run/barked.sick', '')
        i.until('restarts', lambda n: n and n >= 1)
        w.run(['rm', '/run/barked.sick'])
        gone = next(x for x in i.records(until='child-exit') if x['stage'] == 'child-exit')
        assert (gone['exit_code'], gone['exit_status']) in (('killed', '6'), ('dumped', '6')), gone


# ---- restart ----

@scenario
def killed_and_started_again(w):
    port = next_port()
    with kept(w, 'again', 'python3', '/opt/web.py', port,
              opts=['--restart=always', '-p', 'RestartSec=10ms', f'--ready=tcp:{port}']) as i:
        i.start()
        daemon, pids = i.pid, [i.main_pid]
        for n in (1, 2):
            w.kill(pids[-1], signal.SIGKILL)
            i.until('restarts', n)
            i.run('wait', 'again', '--for=ready', '--timeout=10s', check=0)
            assert w.run(['python3', '-c', "import urllib.request, sys; print(urllib.request.urlopen("
                          f"'http://127.0.0.1:{port}/').status)"]).stdout == '200\n'
            pids.append(i.main_pid)
        assert len(set(pids)) == 3 and i.pid == daemon
        assert re.search(r'Restarts: +2\b', i.run('status', 'again').stdout, re.I), i.run('status', 'again').stdout
        if w.init == 'systemd':
            assert w.show('again', 'NRestarts') == '0' and w.show('again', 'MainPID') == str(daemon)
        assert [x['restarts'] for x in i.records(until='restart') if 'restarts' in x] == ['1', '2']
        i.stop()
        i.assert_stopped()
        assert not processes(w, f'python3 /opt/web.py {port}')


@scenario
def start_limit_ends_it(w):
    with kept(w, 'hopeless', 'sh', '-c', 'exit 3', opts=['--restart=always', '-p', 'RestartSec=1ms',
                                                        '-p', 'StartLimitBurst=3']) as i:
        i.start(check=False)
        got = i.records(until='failed')
        assert got[-1]['result'] == 'start-limit-hit', got[-1]
        assert [x['stage'] for x in got].count('exec') == 3
        waiting.until(lambda: not w.exists('/run/amphid/hopeless'), 'its end')
        i.assert_stopped()


@scenario
def crash_loop_burns_nothing(w):
    """Without a limit, RestartSec= as it is by default: ten attempts take a second, and hardly any of it on the CPU."""
    with kept(w, 'looping', 'false', opts=['--restart=always', '-p', 'StartLimitIntervalSec=0']) as i:
        begin = time.monotonic()
        i.start(check=False)
        i.until('restarts', lambda n: n and n >= 10, timeout=20)
        took = time.monotonic() - begin
        fields = w.read(f'/proc/{i.pid}/stat').rpartition(')')[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / 100
        assert took > 0.9, f'ten restarts in {took} s'
        assert cpu < 0.2, f'{cpu} s of CPU for ten restarts'
        i.stop()
        i.assert_stopped()


# ---- stop ----

# Leaves behind what leaves us: a process in a session of its own whose parent ends at once, one that ignores SIGTERM,
# and one that is stopped. They are known by their argument.
BROOD = '''
import os, signal, sys, time
def leave(mark, prepare):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            prepare()
            os.execvp('sleep', ['sleep', mark])
        os._exit(0)
    os.wait()
leave('7371', lambda: None)
leave('7372', lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
leave('7373', lambda: os.kill(os.getpid(), signal.SIGSTOP) if os.fork() else None)
print('brood is out', flush=True)
signal.pause()
'''


def whole_tree(w, name, **settings):
    with kept(w, name, 'python3', '-c', BROOD, opts=['--ready=log:brood is out', '-p', 'TimeoutStopSec=500ms'],
              **settings) as i:
        i.start()
        waiting.until(lambda: len(processes(w, 'sleep 737[123]')) >= 3, 'the brood')
        brood = processes(w, 'sleep 737[123]')
        assert set(brood) <= set(i.job()['pids']), 'status does not know them'
        i.stop()
        assert not processes(w, 'sleep 737[123]'), 'left behind'
        assert not [p for p in brood if w.running(p)]
        i.assert_stopped()


@scenario
def stop_ends_the_whole_tree(w):
    """setsid'ed, double-forked, deaf and stopped ones. systemd does not help: KillMode=process of the unit."""
    whole_tree(w, 'brood', KillMode='process')


@scenario(unless=lambda w: None if w.init == 'systemd' else 'Delegate= is systemd\'s')
def stop_ends_the_whole_delegated_tree(w):
    """With a cgroup of its own below the unit's."""
    whole_tree(w, 'brood-d', KillMode='process', Delegate='yes')


@scenario
def init_of_a_container(w):
    """As PID 1 of a PID namespace: reaps strangers, hands on SIGTERM, ends with the status of its program."""
    box = ['unshare', '--pid', '--fork', '--mount-proc', 'amphid']
    w.run([*box, '--', 'sh', '-c', 'exit 9'], check=9)
    w.run([*box, '--', 'sh', '-c', 'kill -KILL $$'], check=128 + 9)
    # Strangers that end are reaped; ps(1) is asked until it shows none, and one that lives.
    r = w.run([*box, '--', 'sh', '-c', '(setsid sleep 99 &); (setsid true &); (setsid true &); '
               'while ps -e -o stat=,comm= | grep -q -e ^Z -e true; do :; done; ps -e -o stat=,comm='])
    assert 'sleep' in r.stdout and 'Z' not in re.findall(r'^\S', r.stdout, re.M), r.stdout
    p = w.spawn([*box, '--', 'sh', '-c', "trap 'echo told; exit 5' TERM; echo up; while :; do sleep 0.05; done"])
    try:
        assert any('up' in line for line in iter(p.stdout.readline, ''))
        w.run(['pkill', '-TERM', '-fx', 'amphid -- sh -c .*told.*'])
        assert p.wait(10) == 5
        assert 'told' in p.stdout.read()
    finally:
        p.kill()
        p.communicate()


@scenario
def one_copy_after_our_own_death(w):
    """SIGKILL for the daemon: whatever that leaves, after the next start there is one copy. A cgroup, where there is
    one, finds also those that are deaf; without it the main process hears of our death and can end."""
    grouped = w.init == 'systemd' or w.exists('/sys/fs/cgroup/cgroup.procs')
    deaf = ['sh', '-c', "trap '' TERM; sleep 7381 & exec sleep 7382"]
    want = 2 if grouped else 1
    with kept(w, 'orphaned', *(deaf if grouped else ['sleep', '7382']), opts=['-p', 'TimeoutStopSec=200ms'],
              TimeoutStopSec='1500ms') as i:
        i.start()
        first = i.pid
        waiting.until(lambda: len(processes(w, 'sleep 738[12]')) == want, 'the copy')
        w.kill(first, signal.SIGKILL)
        w.wait_gone(first)
        if w.init == 'systemd':
            waiting.until(lambda: w.show('orphaned', 'ActiveState') == 'failed', 'the end of the unit')
        i.start()
        assert i.pid != first
        waiting.until(lambda: len(processes(w, 'sleep 738[12]')) == want, 'one copy')
        assert processes(w, 'sleep 7382') == [i.main_pid]
        i.stop()
        i.assert_stopped()


# ---- output ----

@scenario
def logs_shows_the_lines(w):
    """Whatever way they took; a level before a line is a level, the last line needs no newline."""
    script = "echo first; echo '<3>a bad thing'; echo second; printf 'no newline'; exec sleep infinity"
    with kept(w, 'talker', 'sh', '-c', script) as i:
        i.start()
        w.output('talker', until='second')
        got = waiting.until(lambda: 'second' in (x := i.run('logs', 'talker').stdout) and x, 'the lines')
        assert [x for x in ('first', 'a bad thing', 'second') if x in got] == ['first', 'a bad thing', 'second'], got
        assert '<3>' not in got
        one = [x for x in i.run('logs', 'talker', '-n', '1').stdout.splitlines() if x]
        assert len(one) == 1 and one[0].endswith('second'), one
        i.stop()
    assert w.output('talker', until='no newline')[-1] == 'no newline'
    if w.init == 'systemd':
        level = {e['MESSAGE']: e['PRIORITY'] for e in w.journal('SYSLOG_IDENTIFIER=talker')}
        assert (level['first'], level['a bad thing']) == ('6', '3')


# Lines as fast as they are taken, until the FIFO says that it is enough; the last one tells how many.
STREAM = '''
import os, select, sys
f, n = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK), 0
while not select.select([f], [], [], float(sys.argv[2]))[0] or not os.read(f, 9):
    print('line', n, flush=True)
    n += 1
print('lines in all:', n, flush=True)
select.select([], [], [])
'''


@scenario(unless=lambda w: None if w.init == 'systemd' else 'there is no journald')
def journald_is_restarted(w):
    """While the program goes on writing: afterwards its lines arrive again, through streams and through us."""
    limited = ['-p', 'LogRateLimitIntervalSec=1s', '-p', 'LogRateLimitBurst=1000000']  # so that we have to look
    for name, opts in (('streams', ()), ('piped', limited)):
        gate = fifo(w, f'{name}.fifo')
        with kept(w, name, 'python3', '-c', STREAM, gate, '0.005', opts=opts) as i:
            i.start()
            w.output(name, until='line 20')
            w.run(['systemctl', 'restart', 'systemd-journald'])
            last = len(w.output(name))
            waiting.until(lambda: len(w.output(name)) > last + 50, f'lines of {name} behind the restart')
            w.run(f'echo enough > {gate}')
            got = w.output(name, until='lines in all')
            numbers = [int(x[5:]) for x in got if x.startswith('line ')]
            assert numbers == list(range(int(got[-1].rpartition(' ')[2]))), f'{name}: {len(numbers)} of {got[-1]}'
            assert i.job()['restarts'] == 0 and i.job()['droppedLines'] == 0


@scenario(unless=lambda w: None if w.log == 'syslog' else 'there is no syslogd')
def syslogd_dies_and_comes_back(w):
    """A hundred thousand lines, and the syslogd is killed and started again in their midst: all are in its file."""
    count = 100000
    gate = fifo(w, 'flood.fifo')
    script = f'read x < {gate}; seq -f "line %.0f of many" 1 {count}; echo that was it; exec sleep infinity'
    with kept(w, 'flood', 'sh', '-c', script) as i:
        i.start()
        w.run(f'echo go > {gate}')
        w.output('flood', until='line 1000 of')
        for sig in ('TERM', 'KILL'):
            had = len(w.output('flood'))
            w.run(f'kill -{sig} $(pidof syslogd); while pidof syslogd; do :; done; service inetutils-syslogd start')
            waiting.until(lambda: len(w.output('flood')) > had, 'lines behind the restart of syslogd')
        got = waiting.until(lambda: (x := w.output('flood'))[-1] == 'that was it' and x, 'the last line', 30)
        numbers = [int(x.split()[1]) for x in got[:-1]]
        assert i.job()['droppedLines'] == 0
        assert sorted(set(numbers)) == list(range(1, count + 1)), f'{len(set(numbers))} of {count}'
        assert len(numbers) - count < 1000, 'too many lines twice'
