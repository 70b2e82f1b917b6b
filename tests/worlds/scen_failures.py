"""Starts that fail: the starter's exit status, its reason, and nothing left behind."""
from instance import next_port, started, web
from registry import scenario

NOTIFY = ('-p', 'Type=notify')


def failing(w, name, code, says, *command, opts=()):
    """Starts what cannot come up. Returns the starter's result."""
    r = w.run(['amphid', '--fork', '-n', name, *opts, '--', *command], check=code)
    first = r.stderr.splitlines()[0]
    if w.log == 'file' and f'/var/log/amphid/{name}.log' in first:
        first = r.stderr.splitlines()[1]  # the line before told where the log is
    assert first.startswith(f'amphid: {name}: '), r.stderr
    for text in (says if isinstance(says, tuple) else (says,)):
        assert text in r.stderr, f'"{text}" is not in: {r.stderr}'
    assert not w.exists(f'/run/amphid/{name}'), 'its directory was left behind'
    w.run(['amphid', 'status', name], check=3)
    got = w.records(name, until='failed')
    assert 'ready' not in [x['stage'] for x in got]
    return r


@scenario
def program_is_missing(w):
    failing(w, 'noent', 203, '/nonexistent/program', '/nonexistent/program')


@scenario
def program_is_not_executable(w):
    w.write('/opt/not-executable', '#!/bin/sh\n', mode=0o644)
    failing(w, 'noexec', 203, '/opt/not-executable', '/opt/not-executable')


@scenario
def interpreter_is_missing(w):
    w.write('/opt/no-interpreter', '#!/nonexistent/interpreter\n', mode=0o755)
    failing(w, 'nointerp', 203, '/opt/no-interpreter', '/opt/no-interpreter')


@scenario
def user_is_unknown(w):
    failing(w, 'nouser', 217, 'nobody-of-that-name', 'true', opts=('-p', 'User=nobody-of-that-name'))


@scenario
def group_is_unknown(w):
    failing(w, 'nogroup', 216, 'no-such-group', 'true', opts=('-p', 'Group=no-such-group'))


@scenario
def directory_is_missing(w):
    failing(w, 'nodir', 200, '/nonexistent/dir', 'true', opts=('-p', 'WorkingDirectory=/nonexistent/dir'))


@scenario
def command_ends_before_it_is_up(w):
    failing(w, 'ends3', 3, 'no configuration', 'sh', '-c', 'echo no configuration >&2; exit 3', opts=NOTIFY)
    failing(w, 'ends0', 1, 'ends0', 'true', opts=NOTIFY)


@scenario
def last_lines_are_shown(w):
    """What the command wrote to stderr before it died, the end of it, whole lines."""
    r = failing(w, 'lines', 4, ('line 300',), 'sh', '-c',
                'i=1; while [ $i -le 300 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 4', opts=NOTIFY)
    shown = [x for x in r.stderr.splitlines() if 'line ' in x]
    assert 3 <= len(shown) <= 100 and 'line 1' not in shown
    numbers = [int(x.rsplit(' ', 1)[1]) for x in shown]
    assert numbers == list(range(numbers[0], 301))


@scenario
def last_lines_are_those_of_stderr(w):
    """Each line once, in order, and none of stdout: also where both are streams of the journal."""
    r = failing(w, 'words', 3, (), 'sh', '-c', 'echo one >&2; echo no disk >&2; echo out; exit 3', opts=NOTIFY)
    assert r.stderr.splitlines()[-2:] == ['one', 'no disk']


@scenario
def command_is_killed_before_it_is_up(w):
    failing(w, 'segv', 139, 'SIGSEGV', 'sh', '-c', 'kill -SEGV $$', opts=NOTIFY)


@scenario
def command_never_gets_ready(w):
    before = w.run("pgrep -xfc 'sleep 7357' || true").stdout
    failing(w, 'never', 1, 'never', 'sleep', '7357', opts=(*NOTIFY, '-p', 'TimeoutStartSec=300ms'))
    assert w.run("pgrep -xfc 'sleep 7357' || true").stdout == before, 'the command was left running'


@scenario
def oneshot(w):
    """Up means here: it ended well."""
    w.run(['amphid', '--fork', '-n', 'once', '-p', 'Type=oneshot', '--', 'sh', '-c', 'echo done > /run/once'])
    assert w.read('/run/once') == 'done\n'
    failing(w, 'once6', 6, 'once6', 'sh', '-c', 'exit 6', opts=('-p', 'Type=oneshot'))


@scenario
def bad_usage(w):
    for argv in (['--no-such-option'], ['no-such-verb'], ['-p', 'NoSuchDirective=1', '--', 'true'],
                 ['-p', 'TimeoutStopSec=soon', '--', 'true'], ['-n', '../escape', '--', 'true'],
                 ['--fork', '--log=stderr', '--', 'true'], ['status', 'a', 'b'], ['inspect', 'x']):
        r = w.run(['amphid', *argv], check=2)
        assert r.stderr.startswith('amphid: ') and r.stderr.count('\n') == 1, (argv, r.stderr)


@scenario
def crash_later_is_logged(w):
    """A command that dies after it was up: the starter has told the truth, the log tells the rest."""
    with started(w, 'crash', 'sleep', 'infinity') as i:
        w.kill(i.main_pid, 9)
        i.assert_stopped()
        gone = next(r for r in i.records(until='child-exit') if r['stage'] == 'child-exit')
        assert (gone['exit_code'], gone['exit_status']) == ('killed', '9')


@scenario
def occupied_port(w):
    """The honest failure of a real service: the second server on a port."""
    with web(w, 'first') as i:
        r = w.run(['amphid', '--fork', '-n', 'second', *NOTIFY, '--', 'python3', '/opt/web.py', str(i.port)],
                  check=1)
        assert 'Address already in use' in r.stderr
    assert next_port() > i.port


@scenario
def race_of_starters(w):
    """Twenty at once: one wins, the others say so, and the winner is the one that is known."""
    script = ('for i in $(seq 20); do (amphid --fork -n race -- sleep infinity 2>/dev/null; echo $?) & done; wait')
    try:
        codes = w.run(script).stdout.split()
        assert sorted(codes) == ['0'] + ['1'] * 19
        assert w.run(['amphid', 'status', 'race']).returncode == 0
    finally:
        w.run(['amphid', 'stop', 'race'], check=False)
