#!/usr/bin/python3
"""The unit files of Debian's packages, as they are shipped and nothing else of the packages: a tree for each suite, made
once and kept beside the roots.

    unitfiles.py [SUITE...]     make what is missing, print where it is
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import roots

# The fourteen, and more of all kinds: templates, aliases, D-Bus names, sockets, many sandboxing directives.
PACKAGES = ['rsyslog', 'cron', 'nginx-common', 'redis-server', 'openssh-server', 'postgresql-common', 'apache2',
            'mosquitto', 'memcached', 'haproxy', 'prometheus-node-exporter', 'dnsmasq', 'unbound', 'chrony',
            'bind9', 'dovecot-core', 'postfix', 'cups-daemon', 'avahi-daemon', 'tor', 'openvpn', 'smartmontools',
            'snmpd', 'squid', 'network-manager', 'udisks2', 'polkitd', 'nfs-kernel-server', 'rpcbind', 'wpasupplicant',
            'ssh', 'exim4-base', 'fail2ban', 'mariadb-server', 'php-fpm', 'docker.io', 'containerd', 'libvirt-daemon-system',
            'bluez', 'modemmanager', 'upower', 'accountsservice', 'colord', 'rtkit', 'lightdm', 'gdm3', 'ntpsec',
            'bolt', 'fwupd', 'packagekit', 'knot', 'nsd', 'pdns-server', 'strongswan-starter', 'wireguard-tools',
            'transmission-daemon', 'syncthing', 'grafana', 'prometheus', 'prometheus-alertmanager', 'lighttpd', 'varnish',
            'stunnel4', 'rabbitmq-server', 'corosync', 'pacemaker', 'keepalived', 'slapd', 'krb5-kdc', 'freeradius', 'samba',
            'winbind', 'vsftpd', 'proftpd-core', 'nut-server', 'nut-client', 'lldpd', 'radvd', 'hostapd', 'isc-dhcp-server',
            'kea-dhcp4-server', 'tinc', 'i2pd', 'monit', 'collectd-core', 'zabbix-agent', 'sssd-common', 'autofs',
            'open-iscsi', 'multipath-tools', 'lvm2', 'mdadm', 'apparmor', 'auditd', 'firewalld', 'nftables', 'ufw',
            'plymouth', 'irqbalance', 'thermald', 'acpid', 'anacron', 'at', 'gpm', 'rsync', 'tuned', 'earlyoom',
            'haveged', 'rng-tools5', 'uuid-runtime', 'e2fsprogs', 'cloud-init', 'ifupdown', 'unattended-upgrades']

# The host's apt with a place of its own: neither its sources nor its lists of packages are touched.
APT = '''Dir::Etc::SourceList "{0}/sources.list";
Dir::Etc::SourceParts "-";
Dir::State "{0}/state";
Dir::State::Status "/dev/null";
Dir::Cache "{0}/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
'''
UNITS = ['./lib/systemd/system', './usr/lib/systemd/system', './etc/systemd/system']


def fetch(suite, work, log):
    """Downloads those of PACKAGES that @suite has into @work."""
    def apt(*argv, **kw):
        return subprocess.run(argv, cwd=work, env=dict(os.environ, APT_CONFIG=f'{work}/apt.conf', LC_ALL='C.UTF-8'),
                              check=True, stdin=subprocess.DEVNULL, stderr=log, **kw)
    for name in ('state/lists/partial', 'cache/archives/partial'):
        os.makedirs(f'{work}/{name}')
    Path(f'{work}/apt.conf').write_text(APT.format(work))
    Path(f'{work}/sources.list').write_text(f'deb {roots.mirror(suite)} {suite} main\n')
    apt('apt-get', '-qq', 'update', stdout=log)
    there = set(apt('apt-cache', 'pkgnames', stdout=subprocess.PIPE, text=True).stdout.split())
    apt('apt-get', '-qq', 'download', *[p for p in PACKAGES if p in there], stdout=log)


def tree(suite):
    """Where the unit files of @suite are: a directory with lib/systemd/system, usr/lib/systemd/system or both."""
    key = hashlib.sha256(' '.join(PACKAGES).encode()).hexdigest()[:12]
    path = roots.cache() / f'units-{suite}-{key}'
    with roots.locked(path):
        if path.is_dir():
            return path
        print(f'worlds: making {path}', file=sys.stderr, flush=True)
        new = Path(f'{path}.new')
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        with tempfile.TemporaryDirectory(dir='/var/tmp') as work, open(f'{path}.log', 'w') as log:
            fetch(suite, work, log)
            for deb in sorted(Path(work).glob('*.deb')):
                unpack(deb, new, log)
        new.rename(path)
    return path


def unpack(deb, into, log):
    """The unit files of @deb; one without any is left out."""
    data = subprocess.run(['dpkg-deb', '--fsys-tarfile', str(deb)], check=True, stdout=subprocess.PIPE).stdout
    names = subprocess.run(['tar', '-t'], input=data, check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    wanted = [n for n in names if n.rstrip('/') in UNITS]
    if wanted:
        subprocess.run(['tar', '-x', '-C', str(into), *wanted], input=data, check=True, stderr=log)


if __name__ == '__main__':
    for name in sys.argv[1:] or ['bookworm', 'trixie']:
        print(tree(name))
