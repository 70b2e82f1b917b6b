"""What goes wrong around a running service: no room, no descriptors, a program that is gone, signals, a rotated log."""
import signal
from contextlib import contextmanager

import waiting
from instance import kept
from registry import scenario
from scen_failures import failing
from scen_keep import fifo

COUNT = 20000
# mount(8) is not in every world.
MOUNT = '''
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
path, flags, options = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3].encode()
os.makedirs(path, exist_ok=True)
if (libc.mount(b'none', path, b'tmpfs', ctypes.c_ulong(flags), options) if options else libc.umount2(path, 2)) < 0:
    raise OSError(ctypes.get_errno(), path)
'''
MS_REMOUNT = 32


def cpu_of(w, pid):
    """Seconds."""
    fields = w.read(f'/proc/{pid}/stat').rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def mount(w, path, size, flags=0):
    w.run(['python3', '-c', MOUNT, path, flags, f'size={size}'])


@contextmanager
def small_disk(w, path, size):
    mount(w, path, size)
    try:
        yield
    finally:
        w.run(['python3', '-c', MOUNT, path, 0, ''])


@scenario
def no_room_for_the_log(w):
    """A full disk under the log's file: the command waits, and when there is room each line arrives once."""
    gate = fifo(w, 'full.fifo')
    script = f'read x < {gate}; seq -f "line %.0f of many" 1 {COUNT}; echo that was it; exec sleep infinity'
    with small_disk(w, '/mnt/full', '256k'), \
            kept(w, 'roomless', 'sh', '-c', script, opts=['--log=file:/mnt/full/log']) as i:
        w.run('head -c 200k /dev/zero > /mnt/full/ballast')
        i.start()
        w.run(f'echo go > {gate}')
        waiting.until(lambda: w.run('stat -f -c %a /mnt/full').stdout.strip() == '0', 'the end of the room')
        assert i.job()['state'] == 'up', 'it answers, room or not'
        mount(w, '/mnt/full', '8m', MS_REMOUNT)
        text = waiting.until(lambda: (x := w.read('/mnt/full/log')).count('that was it') and x, 'the last line', 20)
        numbers = [int(x.rpartition(': line ')[2].split()[0]) for x in text.splitlines() if ' of many' in x]
        assert numbers == list(range(1, COUNT + 1)), f'{len(numbers)} lines'
        assert i.job()['droppedLines'] == 0
        i.stop()


@scenario
def no_room_for_the_pidfile(w):
    with small_disk(w, '/mnt/tiny', '4k'):
        w.run('head -c 4k /dev/zero > /mnt/tiny/ballast')
        failing(w, 'pidless', 1, '/mnt/tiny/', 'sleep', 'infinity', opts=['--pidfile', '/mnt/tiny/pid'])


@scenario
def program_is_removed(w):
    """While it runs: the restart fails with the reason, again and again until the limit, and that is the end."""
    w.run(['cp', '/bin/sleep', '/opt/removed'])
    with kept(w, 'removed', '/opt/removed', 'infinity',
              opts=['--restart=always', '-p', 'RestartSec=10ms', '-p', 'StartLimitBurst=3']) as i:
        i.start()
        w.run(['rm', '/opt/removed'])
        w.kill(i.main_pid, signal.SIGKILL)
        end = i.records(until='failed')[-1]
        assert '/opt/removed' in i.trail() and end['result'] in ('start-limit-hit', 'exit-code'), end
        waiting.until(lambda: not w.exists('/run/amphid/removed'), 'its end')
        i.assert_stopped()


@scenario
def stopped_command_is_ended(w):
    """SIGSTOP: it cannot answer, but it can be asked to go on and to end."""
    with kept(w, 'frozen', 'sleep', 'infinity') as i:
        i.start()
        main = i.main_pid
        w.kill(main, signal.SIGSTOP)
        waiting.until(lambda: w.status_of(main)['State'][0] == 'T', 'the stop')
        i.stop()
        i.assert_stopped()
        assert not w.running(main)
        assert 'killed' == next(r for r in i.records(until='child-exit') if r['stage'] == 'child-exit')['exit_code']


@scenario
def restarts_leak_nothing(w):
    """A hundred restarts: as many descriptors and processes as after the first."""
    def size():
        return len(w.run(['ls', f'/proc/{i.pid}/fd']).stdout.split()), i.job()['pids'] and len(i.job()['pids'])
    with kept(w, 'often', 'sleep', 'infinity',
              opts=['--restart=always', '-p', 'RestartSec=0', '-p', 'StartLimitIntervalSec=0']) as i:
        i.start()
        w.run(['kill', '-KILL', str(i.job()['mainPid'])])
        i.until('restarts', 1)
        i.until('state', 'up')
        before = size()
        # Whom to kill is the daemon's to say: among its children is for a moment who is not to stay (clone3(2) in a cgroup).
        w.run('number() { echo "$now" | sed -n "s/.*\\"$1\\": \\([0-9]*\\).*/\\1/p"; }; while now=$(amphid status often --json); '
              '[ "$(number restarts)" -lt 100 ]; do pid=$(number mainPid); '
              'if [ "$pid" ] && [ "$pid" != "$old" ]; then kill -KILL $pid; old=$pid; fi; done', timeout=60)
        i.until('restarts', 100)
        assert size() == before
        i.stop()
        i.assert_stopped()


@scenario
def few_descriptors(w):
    """As many as it takes, and no more: it can be asked and stopped all the same, and nothing turns in circles."""
    with kept(w, 'poor', 'sleep', 'infinity') as i:
        i.start()
        pid, main = i.pid, i.main_pid
        used = len(w.run(['ls', f'/proc/{pid}/fd']).stdout.split())
        w.run(['prlimit', f'--nofile={used}:', '--pid', pid])
        i.run('is-ready', 'poor', check=0)
        i.run('status', 'poor', check=0)
        assert cpu_of(w, pid) < 0.1, 'it turns in circles'
        assert w.running(pid) and w.running(main)
        i.stop()
        i.assert_stopped()


@scenario(unless=lambda w: None if w.log != 'journal' else 'the journal rotates by itself')
def log_file_is_rotated(w):
    """By size, while lines come: none is lost, and as many old files are kept as were asked for."""
    script = f'seq -f "line %.0f of many" 1 {COUNT}; echo that was it; exec sleep infinity'
    w.run('mkdir -p /var/tmp/turned')
    with kept(w, 'turning', 'sh', '-c', script,
              opts=['--log=file:/var/tmp/turned/log', '-p', 'LogFileMaxSize=300K', '-p', 'LogFileMaxFiles=20']) as i:
        i.start()

        def text():
            names = w.run('ls -tr /var/tmp/turned/log*').stdout.split()
            return len(names), ''.join(w.read(n) for n in names)
        waiting.until(lambda: text()[1].count('that was it'), 'the last line')
        n, lines = text()  # now that nothing is turned any more
        numbers = sorted(int(x.rpartition(': line ')[2].split()[0]) for x in lines.splitlines() if ' of many' in x)
        assert numbers == list(range(1, COUNT + 1)) and n > 2, f'{len(numbers)} lines in {n} files'
        before = n
        i.run('rotate', 'turning', check=0)
        assert text()[0] == before + 1
    w.run('rm -r /var/tmp/turned')
