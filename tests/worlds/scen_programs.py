"""Real programs, none of which says READY=1 by itself: up at the right moment, useful, and gone without a trace."""
import time

import waiting
from instance import http, kept, next_port
from registry import scenario
from scen_keep import fifo, processes

# Knocks until somebody opens; prints that nobody was there at first, and when the door was opened.
KNOCK = '''
import socket, sys, time
print('knocking', flush=True)
while True:
    try:
        socket.create_connection(('127.0.0.1', int(sys.argv[1])), 1).close()
        break
    except OSError:
        time.sleep(0.001)
print(time.clock_gettime_ns(time.CLOCK_MONOTONIC))
'''
LATE = 2  # seconds from the first connection that succeeds to the word that it is up, on a busy machine


def lives(w, name, port, *command, use, opts=(), pattern, **settings):
    """The life of a program that listens on @port. use(i) is called as soon as it is said to be up, and has but one
    try: so it is not said too early. @pattern is all of it in the process list."""
    with kept(w, name, *command, opts=[f'--ready=tcp:{port}', '-p', 'TimeoutStartSec=20s', *opts], **settings) as i:
        knocker = w.spawn(['python3', '-c', KNOCK, port])
        try:
            assert knocker.stdout.readline() == 'knocking\n'
            i.start()
            ready = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            use(i)
            late = (ready - int(knocker.communicate(timeout=10)[0])) / 1e9
            assert late < LATE, f'it was said to be up {late} s after it was'
        finally:
            knocker.kill()
            knocker.communicate()
        job = i.job()
        tree = job['pids']
        assert (job['ready'], job['restarts']) == (True, 0)
        assert set(processes(w, pattern)) == set(tree), f'{processes(w, pattern)} are not the tree {tree}'
        i.stop(timeout=30)
        i.assert_stopped()
        assert not processes(w, pattern) and not [p for p in tree if w.running(p)], 'left behind'
        end = [r for r in i.records(until='stopped') if r['stage'] in ('failed', 'stopped')]
        assert end[-1]['stage'] == 'stopped', i.trail()


@scenario
def nginx_with_workers(w):
    port = next_port()
    conf = w.write('/etc/amphid-nginx-keep.conf', NGINX % {'port': port})

    def use(i):
        assert http(w, port) == [200, 'from nginx'] and len(i.job()['pids']) == 3
    lives(w, 'nginx', port, 'nginx', '-c', conf, use=use, pattern='nginx: .*',
          opts=['-p', 'KillSignal=SIGQUIT', f'--health=http://127.0.0.1:{port}/', '--health-interval=1s'])


NGINX = '''
daemon off; worker_processes 2; pid /run/amphid-nginx-keep.pid; error_log stderr;
events {}
http { access_log off; server { listen 127.0.0.1:%(port)d; return 200 "from nginx"; } }
'''


@scenario
def nginx_that_forks_by_itself(w):
    """Type=forking: its PID file names the main process."""
    port = next_port()
    text = NGINX.replace('daemon off;', '').replace('-keep', '-fork') % {'port': port}
    conf = w.write('/etc/amphid-nginx-fork.conf', text)

    def use(i):
        assert http(w, port) == [200, 'from nginx']
        assert str(i.main_pid) == w.read('/run/amphid-nginx-fork.pid').strip()
    lives(w, 'nginxf', port, 'nginx', '-c', conf, use=use, pattern='nginx: .*',
          opts=['-p', 'Type=forking', '-p', 'PIDFile=/run/amphid-nginx-fork.pid'])


@scenario
def redis(w):
    port = next_port()

    def use(i):
        cli = ['redis-cli', '-p', port]
        assert w.run([*cli, 'set', 'key', 'some value']).stdout == 'OK\n'
        assert w.run([*cli, 'get', 'key']).stdout == 'some value\n'
        w.output('redis', until='Ready to accept connections')
    lives(w, 'redis', port, 'redis-server', '--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', '/tmp',
          use=use, pattern=r'redis-server 127\.0\.0\.1:.*', opts=['-p', 'User=redis'])


@scenario
def postgresql(w):
    """A tree of processes, each in a session of its own, and a signal of its own for a fast end."""
    port = next_port()
    where = w.run('ls -d /usr/lib/postgresql/*/bin').stdout.strip()
    as_user = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']
    if not w.exists('/srv/pg'):
        w.run('mkdir /srv/pg && chown postgres: /srv/pg')
        w.run([*as_user, f'{where}/initdb', '-D', '/srv/pg', '-A', 'trust', '--no-sync'], timeout=60)

    def use(_i):
        # The first query is sent at once: the server that answers the port has to be open for business.
        r = w.run([*as_user, 'psql', '-h', '127.0.0.1', '-p', port, '-d', 'template1', '-Atc', 'select 6 * 7'])
        assert r.stdout == '42\n'
    lives(w, 'pg', port, f'{where}/postgres', '-D', '/srv/pg', '-p', port, '-k', '/tmp', '-c', 'fsync=off', use=use,
          pattern='/usr/lib/postgresql/.*/postgres -D .*|postgres: .*',
          opts=['-p', 'User=postgres', '-p', 'KillSignal=SIGINT',
                f'--ready=exec:{where}/pg_isready -q -h 127.0.0.1 -p {port}'])


@scenario
def slow_starter(w):
    """A script that prepares for a while, and only then runs what listens."""
    port, gate = next_port(), fifo(w, 'prepare.fifo')
    script = w.write('/opt/slow-start.sh', '#!/bin/sh\necho preparing\nread x < "$1"\n'
                     'exec python3 /opt/web.py "$2"\n', mode=0o755)
    opener = w.spawn(['sh', '-c', 'until amphid status prepares 2>&1 | grep -q refused; do sleep 0.02; done; '
                      f'echo go > {gate}'])

    def use(_i):
        assert http(w, port) == [200, 'hello']
    try:
        lives(w, 'prepares', port, script, gate, port, use=use,
              pattern='/bin/sh /opt/slow-start.sh .*|python3 /opt/web.py .*')
        assert opener.wait(10) == 0
    finally:
        opener.kill()
        opener.communicate()


@scenario
def shell_script_with_children(w):
    """Background children that the script neither waits for nor ends."""
    port = next_port()
    script = w.write('/opt/with-children.sh', '#!/bin/sh\nsleep 7391 &\n(setsid sleep 7392 &)\n'
                     'python3 /opt/web.py "$1" &\nwhile :; do sleep 7393; done\n', mode=0o755)

    def use(i):
        assert http(w, port) == [200, 'hello']
        waiting.until(lambda: len(i.job()['pids']) == 5, 'all five')
    lives(w, 'family', port, script, port, use=use,
          pattern='/bin/sh /opt/with-children.sh .*|sleep 739[123]|python3 /opt/web.py .*')
