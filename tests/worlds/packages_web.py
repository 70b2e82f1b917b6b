"""Packages that speak HTTP, and what passes it on."""
from packages import ORIGIN, Package, all_of, appended, edited, put, python, shell, web

NGINX = 'server { listen 8080; location / { return 200 "%s\\n"; } }\n'
HAPROXY = '\nfrontend t\n\tbind 127.0.0.1:8082\n\thttp-request return status 200 content-type text/plain string one\n'
VCL = ('vcl 4.1;\nbackend none none;\nsub vcl_recv { return (synth(200)); }\n'
       'sub vcl_synth { synthetic("%s"); return (deliver); }\n')
TLS = '''
import socket, ssl
c = ssl._create_unverified_context().wrap_socket(socket.create_connection(('127.0.0.1', 8443), 4))
c.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
data = b''
while more := c.recv(4096):
    data += more
print(data.decode().split('\\r\\n\\r\\n')[1])
'''
# One request of FastCGI: begin, parameters, no input; the body comes as records of type 6.
FCGI = '''
import socket, struct
def record(kind, data): return struct.pack('>BBHHBB', 1, kind, 1, len(data), 0, 0) + data
def pair(k, v): return bytes([len(k), len(v)]) + k + v
s = socket.socket(socket.AF_UNIX); s.settimeout(4); s.connect('/run/php/php8.4-fpm.sock')
env = {b'REQUEST_METHOD': b'GET', b'SCRIPT_FILENAME': b'/srv/t.php'}
s.sendall(record(1, b'\\0\\1' + bytes(6)) + record(4, b''.join(pair(*p) for p in env.items())) + record(4, b'') + record(5, b''))
f, body = s.makefile('rb'), b''
while head := f.read(8):
    _v, kind, _i, size, pad, _r = struct.unpack('>BBHHBB', head)
    data = f.read(size); f.read(pad)
    if kind == 6: body += data
print(body.decode().split('\\r\\n\\r\\n')[1])
'''

PACKAGES = [
    Package('nginx.service', ('nginx',), 'Type=forking, PIDFile=, ExecStop=-, KillMode=mixed, ConditionFileIsExecutable=',
            web(8080), 'one', r'nginx: master process .*', there=('/run/nginx.pid',),
            prepare=all_of(put('/etc/nginx/conf.d/t.conf', NGINX % 'one'), shell('rm -f /etc/nginx/sites-enabled/default')),
            change=put('/etc/nginx/conf.d/t.conf', NGINX % 'two'), then='two'),
    Package('apache2.service', ('apache2',), 'Type=forking without PIDFile=: the main process is guessed; Restart=on-abort',
            web(80, '/nobody'), 'one', r'/usr/sbin/apache2 -k start', restarts=True, there=('/run/apache2/apache2.pid',),
            left=('/run/apache2*',),
            prepare=put('/etc/apache2/conf-enabled/t.conf', 'ErrorDocument 404 "one"\n'),
            change=put('/etc/apache2/conf-enabled/t.conf', 'ErrorDocument 404 "two"\n'), then='two'),
    Package('lighttpd.service', ('lighttpd',), 'Type=simple with PIDFile=, AmbientCapabilities=, two ExecReload=, KeyringMode=',
            web(80, '/nobody', 'Server'), 'one', r'/usr/sbin/lighttpd -D -f .*', 'www-data', ready=False, restarts=True,
            there=('/run/lighttpd.pid',),
            prepare=put('/etc/lighttpd/conf-enabled/t.conf', 'server.tag = "one"\nserver.errorfile-prefix = "/srv/e"\n'),
            change=put('/etc/lighttpd/conf-enabled/t.conf', 'server.tag = "two"\nserver.errorfile-prefix = "/srv/e"\n'),
            then='two', again=put('/srv/e404.html', '\n')),
    Package('haproxy.service', ('haproxy',),
            'Type=notify, Environment= with quotes, $EXTRAOPTS split, SuccessExitStatus=143, BindReadOnlyPaths=',
            web(8082), 'one', r'/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p .* -S /run/haproxy-master.sock',
            restarts=True, left=('/run/haproxy.pid', '/run/haproxy-master.sock', '/run/haproxy/admin.sock'),
            prepare=appended('/etc/haproxy/haproxy.cfg', HAPROXY),
            change=edited('/etc/haproxy/haproxy.cfg', 'string one', 'string two'), then='two'),
    Package('varnish.service', ('varnish',), 'Type=exec, an ExecStart= of many lines, ConfigurationDirectory=, LimitMEMLOCK=',
            web(6081), 'one', r'/usr/sbin/varnishd -F -a :6081 .*', ready=False, restarts=True,
            prepare=put('/etc/varnish/default.vcl', VCL % 'one'),
            change=put('/etc/varnish/default.vcl', VCL % 'two'), then='two'),
    Package('squid.service', ('squid',), 'NotifyAccess=all, Group= without User=, RuntimeDirectoryMode=, ExecStartPre= that takes a while',
            web(3128, header='Via', proxy='http://127.0.0.1:8090'), 'hello 1.1 one (squid/6.13)',
            r'/usr/sbin/squid --foreground -sYC', 'proxy', beside=(ORIGIN,), there=('/run/squid', '/run/squid.pid'),
            prepare=put('/etc/squid/conf.d/t.conf', 'visible_hostname one\nshutdown_lifetime 1 second\n'),
            change=put('/etc/squid/conf.d/t.conf', 'visible_hostname two\nshutdown_lifetime 1 second\n'),
            then='hello 1.1 two (squid/6.13)'),
    Package('privoxy.service', ('privoxy',), 'Type=forking as another user, Environment= in ExecStart= and ExecStopPost=, SuccessExitStatus=15',
            web(8118, proxy='http://127.0.0.1:8090'), 'hello', r'/usr/sbin/privoxy --pidfile /run/privoxy.pid .*', 'privoxy',
            beside=(ORIGIN,), reloads=False, there=('/run/privoxy.pid',)),
    Package('tinyproxy.service', ('tinyproxy',), 'no Type=, KillMode=process, KillSignal=, ExecReload= with SIGUSR1, an empty $FLAGS',
            web(8888, header='Via', proxy='http://127.0.0.1:8090'), 'hello 1.1 one (tinyproxy/1.11.2)',
            r'/usr/bin/tinyproxy -d', 'tinyproxy', ready=False, beside=(ORIGIN,), there=('/run/tinyproxy/tinyproxy.pid',),
            prepare=edited('/etc/tinyproxy/tinyproxy.conf', 'ViaProxyName "tinyproxy"', 'ViaProxyName "one"'),
            change=edited('/etc/tinyproxy/tinyproxy.conf', 'ViaProxyName "one"', 'ViaProxyName "two"'),
            then='hello 1.1 two (tinyproxy/1.11.2)'),
    Package('stunnel@t.service', ('stunnel4', 'openssl'), 'a template of one line, %i, PartOf= a target',
            python(TLS), 'hello', r'/usr/bin/stunnel4 /etc/stunnel/t.conf', ready=False, beside=(ORIGIN,), reloads=False,
            prepare=all_of(put('/etc/stunnel/t.conf', 'foreground = yes\n[t]\naccept = 127.0.0.1:8443\nconnect = 127.0.0.1:8090\n'
                               'cert = /etc/stunnel/t.pem\n'),
                           shell('cd /etc/stunnel && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=t -keyout t.key -out t.crt '
                                 '2>/dev/null && cat t.key t.crt > t.pem && chmod 600 t.*'))),
    Package('php8.4-fpm.service', ('php8.4-fpm',), 'ExecStartPost=- and ExecStopPost=-, a reload that replaces the program: same PID',
            python(FCGI), 'one', r'php-fpm: master process .*', restarts=True,
            there=('/run/php/php8.4-fpm.pid', '/run/php/php8.4-fpm.sock'), left=('/run/php/php-fpm.sock',),
            prepare=all_of(put('/srv/t.php', '<?php echo ini_get("user_agent");'),
                           put('/etc/php/8.4/fpm/conf.d/99-t.ini', 'user_agent = one\n')),
            change=put('/etc/php/8.4/fpm/conf.d/99-t.ini', 'user_agent = two\n'), then='two'),
    Package('prometheus-node-exporter.service', ('prometheus-node-exporter',),
            'no Type=, User=, EnvironmentFile= that must exist, empty $ARGS, SendSIGKILL=no',
            lambda w: str('node_load1 ' in web(9100, '/metrics')(w)), 'True', r'/usr/bin/prometheus-node-exporter',
            'prometheus', ready=False, restarts=True, reload_ends=True),
]
