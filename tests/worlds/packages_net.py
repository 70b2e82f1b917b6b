"""Packages of the network's own services: names, time, logins, mail, files."""
from packages import ZONE, Package, all_of, appended, dig, edited, put, output, python, shell

NAMED = 'zone "t.test" { type primary; file "/etc/bind/t.zone"; };\n'
KNOT = '\nserver:\n    listen: 127.0.0.1@53\n    rundir: "/run/knot"\n    user: knot:knot\n' \
       'database:\n    storage: "/var/lib/knot"\nzone:\n  - domain: t.test\n    storage: "/etc/knot"\n    file: "t.zone"\n' \
       '    zonefile-sync: -1\n    journal-content: none\n'
STUBBY = ('resolution_type: GETDNS_RESOLUTION_STUB\ndns_transport_list:\n  - GETDNS_TRANSPORT_UDP\n'
          'listen_addresses:\n  - 127.0.0.1\nupstream_recursive_servers:\n  - address_data: 127.0.0.1\n    port: 5353\n')
DNSMASQ = ('dnsmasq', '-k', '-C', '/dev/null', '-p', '5353', '-a', '127.0.0.1', '--bind-interfaces', '--no-resolv',
           '--no-hosts', '--pid-file=', '-u', 'root', '--address=/host.t.test/10.0.0.1')
NTP = '''
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(4)
s.connect(('127.0.0.1', 123)); s.send(b'\\x23' + bytes(47))  # connected: that nobody is there is told
print('stratum', s.recv(48)[1])
'''
SOCKS = '''
import socket, sys
for port in 9050, 9051:
    try:
        s = socket.create_connection(('127.0.0.1', port), 4)
    except OSError:
        continue
    s.sendall(b'\\5\\1\\0')
    print(port, s.recv(2) == b'\\5\\0')
    break
else:
    sys.exit('nobody listens')
'''
FTP = '''
import ftplib
f = ftplib.FTP(); f.connect('127.0.0.1', 21, 4)
f.login(); f.quit()
print(f.welcome)
'''
MAIL = '''
import pathlib, smtplib, time
s = smtplib.SMTP(); banner = s.connect('127.0.0.1', 25)[1].decode().split()[0]
mark = f'mark {time.monotonic_ns()}'
s.sendmail('root@localhost', ['alice@localhost'], f'Subject: {mark}\\n\\nhello\\n'); s.quit()
box, end = pathlib.Path('/var/mail/alice'), time.monotonic() + 10
while not (box.exists() and mark in box.read_text()):
    assert time.monotonic() < end, 'no mail came'
    time.sleep(0.01)
print(banner)
'''


def login(w):
    """A session with a key, and what the server has put into its environment."""
    return w.run(['ssh', '-q', '-i', '/root/t.key', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null',
                  '-o', 'ConnectTimeout=4', 'alice@127.0.0.1', 'echo $WHO']).stdout.strip()


def key(w):
    w.run('test -e /root/t.key || ssh-keygen -q -t ed25519 -N "" -f /root/t.key; install -d -o alice -m 700 /home/alice/.ssh; '
          'install -o alice -m 600 /root/t.key.pub /home/alice/.ssh/authorized_keys')


def exported(w):
    """The name that avahi publishes, asked over the bus: but not so that the bus starts it for that."""
    def call(name, path, *what):
        return w.run(['dbus-send', '--system', '--print-reply=literal', f'--dest={name}', path, *what]).stdout.strip()
    there = call('org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.Avahi')
    assert there == 'boolean true', there
    return call('org.freedesktop.Avahi', '/', 'org.freedesktop.Avahi.Server.GetHostName')


def bus(w):
    """Avahi needs the system bus: systemd starts it, an init script, or whoever runs the container."""
    if w.exists('/run/dbus/system_bus_socket'):
        return
    w.run('service dbus start' if w.init == 'sysvinit' else 'mkdir -p /run/dbus && dbus-daemon --system --fork')


PACKAGES = [
    Package('ssh.service', ('openssh-server',), 'RuntimeDirectory=, KillMode=process, RestartPreventExitStatus=, a reload that checks first',
            login, 'one', r'sshd: /usr/sbin/sshd -D \[listener\] .*', restarts=True, there=('/run/sshd', '/run/sshd.pid'),
            left=('/run/motd.dynamic',),
            prepare=all_of(key, put('/etc/ssh/sshd_config.d/t.conf', 'SetEnv WHO=one\n')),
            change=put('/etc/ssh/sshd_config.d/t.conf', 'SetEnv WHO=two\n'), then='two'),
    Package('dnsmasq.service', ('dnsmasq',), 'Requires= a target, ExecStartPost=, ExecStop= that does nothing here, PIDFile= in a directory of its own',
            dig('host.t.test'), '10.0.0.1', r'/usr/sbin/dnsmasq -x /run/dnsmasq/dnsmasq.pid .*', 'dnsmasq',
            there=('/run/dnsmasq/dnsmasq.pid',),
            prepare=all_of(put('/etc/dnsmasq.d/t.conf', 'no-resolv\naddn-hosts=/etc/hosts.t\n'),
                           put('/etc/hosts.t', '10.0.0.1 host.t.test\n')),
            change=put('/etc/hosts.t', '10.0.0.2 host.t.test\n'), then='10.0.0.2'),
    Package('unbound.service', ('unbound',), 'ExecStartPre=-, ExecReload=+, ExecStopPost=-, EnvironmentFile=- that is not there',
            dig('host.t.test'), '10.0.0.1', r'/usr/sbin/unbound -d -p', 'unbound', restarts=True, left=('/run/unbound.ctl',),
            prepare=put('/etc/unbound/unbound.conf.d/t.conf', 'server:\n  local-data: "host.t.test. A 10.0.0.1"\n'),
            change=put('/etc/unbound/unbound.conf.d/t.conf', 'server:\n  local-data: "host.t.test. A 10.0.0.2"\n'),
            then='10.0.0.2'),
    Package('named.service', ('bind9',), 'started by its own name, known as bind9.service, too; $OPTIONS split, ExecStop= and ExecReload= are clients',
            dig('host.t.test'), '10.0.0.1', r'/usr/sbin/named -f -u bind', 'bind', restarts=True,
            left=('/run/named/*',),
            prepare=all_of(put('/etc/bind/named.conf.local', NAMED), put('/etc/bind/t.zone', ZONE % (1, 1))),
            change=put('/etc/bind/t.zone', ZONE % (2, 2)), then='10.0.0.2'),
    Package('knot.service', ('knot',), 'AmbientCapabilities= for a port below 1024, a quoted "$VARIABLE", StateDirectory=, Restart=on-abort',
            dig('host.t.test'), '10.0.0.1', r'/usr/sbin/knotd -m 512', 'knot', restarts=True, there=('/run/knot',),
            prepare=all_of(put('/etc/knot/knot.conf', KNOT), put('/etc/knot/t.zone', ZONE % (1, 1))),
            change=put('/etc/knot/t.zone', ZONE % (2, 2)), then='10.0.0.2'),
    Package('stubby.service', ('stubby', 'dnsmasq'), 'DynamicUser=, WorkingDirectory= below its RuntimeDirectory=, AmbientCapabilities=, RestartSec=',
            dig('host.t.test'), '10.0.0.1', r'/usr/bin/stubby -C /etc/stubby/stubby.yml', '*', ready=False, restarts=True,
            reloads=False, beside=(DNSMASQ,), there=('/run/stubby',), prepare=put('/etc/stubby/stubby.yml', STUBBY)),
    Package('chrony.service', ('chrony',), 'User= and ExecStart=!, all five kinds of directories, RuntimeDirectoryPreserve=restart, ConditionCapability=',
            python(NTP), 'stratum 7', r'/usr/sbin/chronyd -x -F 0', '_chrony', reloads=False, there=('/run/chrony',),
            prepare=all_of(put('/etc/default/chrony', 'DAEMON_OPTS="-x -F 0"\n'),  # -x: leaves the clock alone
                           put('/etc/chrony/conf.d/t.conf', 'local stratum 7\nallow 127.0.0.1\n'))),
    Package('avahi-daemon.service', ('avahi-daemon', 'dbus'), 'Type=dbus: up when its name is on the bus; Requires= a socket unit',
            exported, 'one', r'avahi-daemon: (running|registering) .*', 'avahi', left=('/run/avahi-daemon*',),
            prepare=all_of(bus, edited('/etc/avahi/avahi-daemon.conf', '#host-name=foo', 'host-name=one')),
            also_stop=('avahi-daemon.socket',)),
    Package('tor@default.service', ('tor',), 'an instance with a file of its own, PermissionsStartOnly=, KillSignal=SIGINT, AppArmorProfile=-',
            python(SOCKS), '9050 True', r'/usr/bin/tor --defaults-torrc .*', 'debian-tor', restarts=True,
            there=('/run/tor/tor.pid',), left=('/run/tor', '/run/tor/control'),
            prepare=appended('/etc/tor/torrc', 'SocksPort 9050\n'), change=edited('/etc/tor/torrc', 'SocksPort 9050\n', 'SocksPort 9051\n'),
            then='9051 True'),
    Package('snmpd.service', ('snmpd', 'snmp'), 'ConditionPathExists=, RuntimeDirectory= that others use, a comma list in an argument',
            output('snmpget', '-v2c', '-cpublic', '-Oqv', '-t2', '-r0', '127.0.0.1', '1.3.6.1.2.1.1.6.0'), '"one"', r'/usr/sbin/snmpd -LOw .*',
            'Debian-snmp', there=('/run/agentx',),
            prepare=edited('/etc/snmp/snmpd.conf', 'Sitting on the Dock of the Bay', 'one'),
            change=edited('/etc/snmp/snmpd.conf', 'sysLocation    one', 'sysLocation    two'), then='"two"'),
    Package('exim4.service', ('exim4-daemon-light',), 'Type=exec, Environment= split, ExecReload=a ; b, a command without a path',
            python(MAIL), 'one.test', r'/usr/sbin/exim4 -bdf -q30m', 'Debian-exim', ready=False, there=('/run/exim4/exim.pid',),
            prepare=all_of(put('/etc/exim4/exim4.conf.localmacros', 'MAIN_HARDCODE_PRIMARY_HOSTNAME = one.test\n'),
                           shell('printf t.test > /etc/mailname')),
            change=put('/etc/exim4/exim4.conf.localmacros', 'MAIN_HARDCODE_PRIMARY_HOSTNAME = two.test\n'), then='two.test'),
    Package('vsftpd.service', ('vsftpd',), 'ExecStartPre=- after ExecStart=, Type=simple',
            python(FTP), '220 one', r'/usr/sbin/vsftpd /etc/vsftpd.conf', ready=False,
            prepare=appended('/etc/vsftpd.conf', 'anonymous_enable=YES\nftpd_banner=one\n'),
            change=edited('/etc/vsftpd.conf', 'ftpd_banner=one', 'ftpd_banner=two'), then='220 two'),
]
