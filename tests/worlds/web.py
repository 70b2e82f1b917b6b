#!/usr/bin/python3
"""A small web server that is a good service: it is up when it says READY=1, reads its page again on SIGHUP (and
says so), ends on SIGTERM, and takes a listening socket that was passed to it. /env answers with its environment.

    web.py PORT [PAGE-FILE]
"""
import http.server
import json
import os
import signal
import socket
import sys
import threading
import time

page = 'hello'


def notify(text):
    path = os.environ.get('NOTIFY_SOCKET')
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(text.encode(), '\0' + path[1:] if path[0] == '@' else path)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(dict(os.environ)) if self.path == '/env' else page
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())


def read_page():
    global page
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as f:
            page = f.read()


def listen(port):
    if os.environ.get('LISTEN_PID') == str(os.getpid()) and os.environ.get('LISTEN_FDS') == '1':
        server = http.server.HTTPServer(('127.0.0.1', 0), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = socket.socket(fileno=3)
        return server
    return http.server.HTTPServer(('127.0.0.1', port), Handler)


def main():
    read_page()
    server = listen(int(sys.argv[1]))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGTERM})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print('web: serving', flush=True)
    notify('READY=1\nSTATUS=serving pages')
    while signal.sigwait({signal.SIGHUP, signal.SIGTERM}) == signal.SIGHUP:
        notify(f'RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}')
        read_page()
        print('web: page read again', file=sys.stderr, flush=True)
        notify('READY=1\nSTATUS=serving new pages')
    notify('STOPPING=1')
    print('web: goodbye', flush=True)


main()
