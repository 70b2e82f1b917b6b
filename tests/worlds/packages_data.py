"""Packages that keep data: databases, queues, directories."""
from packages import Package, output, put, python, shell

MEMCACHED = '''
import socket
s = socket.create_connection(('127.0.0.1', 11211), 4)
s.sendall(b'set k 0 0 5\\r\\nvalue\\r\\nget k\\r\\n')
f = s.makefile('rb')
print(f.readline().decode().strip(), f.readline() and f.readline().decode().strip())
'''
BEANSTALKD = '''
import socket
s = socket.create_connection(('127.0.0.1', 11300), 4); f = s.makefile('rb')
s.sendall(b'put 1 0 60 5\\r\\nhello\\r\\nreserve\\r\\n')
f.readline(); number = f.readline().split()[1]
print(f.readline().decode().strip())
s.sendall(b'delete ' + number + b'\\r\\n'); f.readline()
'''
# Exit status 5: somebody is there and says that we must not.
MQTT = ('mosquitto_pub -h 127.0.0.1 -r -t t/x -m hello && exec mosquitto_sub -h 127.0.0.1 -t t/x -C 1 -W 4; '
        '[ $? -eq 5 ] && echo refused')
POSTGRES = ('runuser', '-u', 'postgres', '--', 'psql', '-Atc', 'show work_mem')

PACKAGES = [
    Package('redis-server.service', ('redis-server', 'redis-tools'), 'RuntimeDirectoryMode=2755, TimeoutStopSec=0, UMask=, an empty CapabilityBoundingSet=, Restart=always',
            lambda w: w.run('redis-cli set k value && redis-cli get k').stdout.split()[1], 'value',
            r'/usr/bin/redis-server 127.0.0.1:6379', 'redis', reloads=False, restarts=True, there=('/run/redis',)),
    Package('memcached.service', ('memcached',), 'no Type=, a wrapper in Perl that becomes the program, PIDFile= without forking',
            python(MEMCACHED), 'STORED value', r'/usr/bin/memcached -m 64 .*', 'memcache', ready=False, reloads=False,
            restarts=True, there=('/run/memcached/memcached.pid',)),
    Package('mosquitto.service', ('mosquitto', 'mosquitto-clients'), 'Type=notify with NotifyAccess=main, four ExecStartPre=',
            lambda w: w.run(MQTT).stdout.strip(), 'hello', r'/usr/sbin/mosquitto -c .*', 'mosquitto', restarts=True,
            left=('/run/mosquitto',),
            prepare=put('/etc/mosquitto/conf.d/t.conf', 'listener 1883 127.0.0.1\nallow_anonymous true\n'),
            change=put('/etc/mosquitto/conf.d/t.conf', 'listener 1883 127.0.0.1\nallow_anonymous false\n'), then='refused'),
    Package('postgresql@17-main.service', ('postgresql-17',), 'a template: %i and %I, ExecStart=-, AssertPathExists=, RequiresMountsFor=, OOMScoreAdjust=',
            output(*POSTGRES), '4MB', r'/usr/lib/postgresql/17/bin/postgres -D .*', 'postgres',
            there=('/run/postgresql/17-main.pid', '/run/postgresql/.s.PGSQL.5432'),
            prepare=shell('cd /etc/postgresql/17/main/conf.d && rm -f t.conf && echo "fsync = off" > s.conf'),
            change=put('/etc/postgresql/17/main/conf.d/t.conf', 'work_mem = 8MB\n'), then='8MB'),
    Package('mariadb.service', ('mariadb-server',), 'an ExecStartPre= of three lines in quotes, ExecStartPost=!, AmbientCapabilities=, SendSIGKILL=no, LimitMEMLOCK=',
            output('mariadb', '-Ne', 'select 6 * 7'), '42', r'/usr/sbin/mariadbd', 'mysql', reloads=False, restarts=True,
            left=('/tmp/tmp.*',), there=('/run/mysqld/mysqld.pid', '/run/mysqld/mysqld.sock')),
    Package('beanstalkd.service', ('beanstalkd',), '${VARIABLES} that stay one word and an unset $VARIABLE that is none, User= and Group=',
            python(BEANSTALKD), 'hello', r'/usr/bin/beanstalkd -l 127.0.0.1 -p 11300', 'beanstalkd', ready=False, reloads=False),
    Package('slapd.service', ('slapd', 'ldap-utils'), 'a shell script of ten lines in ExecStart=, sh without a path, ${X:+words} that are the shell\'s',
            lambda w: str('namingContexts: dc=' in output('ldapsearch', '-x', '-LLL', '-H', 'ldap://127.0.0.1', '-s', 'base', '-b', '',
                                                          'namingContexts')(w)), 'True',
            r'/usr/sbin/slapd -d0 .*', 'openldap', reloads=False, there=('/run/slapd/slapd.pid',), left=('/run/slapd',)),
]
