#!/usr/bin/env python3
"""The list of directives in amphid.unit(5), from the program's own table, so that the page cannot say anything else.

  directives.py AMPHID PAGE            is the page's list the table's?
  directives.py AMPHID PAGE --write    puts it there
"""
import pathlib
import subprocess
import sys
import textwrap

BEGIN, END = '.\\" The table of directives, made by directives.py.\n', '.\\" The end of the table.\n'
CLASSES = [
    ('applied', 'Applied', 'As the manual pages of systemd say.'),
    ('emulated', 'Emulated', 'The same effect by other means, with what differs.'),
    ('ignored', 'Ignored', 'Nothing is lost by it; the reason is given.'),
    ('not supported, security', 'Not enforced',
     'They should confine the service and do not.\nThis is said at every start, and\n.Fl -strict\nrefuses the unit.'),
    ('not supported', 'Not supported', 'Without effect; the reason is given.'),
]


def rows(amphid):
    """(section, key, class, how)"""
    text = subprocess.run([amphid, 'explain', '--all'], check=True, capture_output=True, text=True).stdout
    return [tuple(line.split('\t')) for line in text.splitlines()]


def escape(text):
    text = text.replace('\\', '\\e')
    return '\\&' + text if text.startswith(('.', "'")) else text


def sentences(text):
    """Each begins a line, as mdoc wants it."""
    text = escape(text) + ('' if text.endswith('.') else '.')
    return '\n'.join(textwrap.fill(s, 78, break_on_hyphens=False) for s in text.replace('. ', '.\n').split('\n'))


def listing(table, name):
    """The keys of one class, those with the same reason together."""
    found = {}
    for section, key, what, how in table:
        what = what if what == 'not supported, security' else what.removesuffix(', security')
        if what == name:
            found.setdefault((section, how), []).append(key)
    if not any(how for _, how in found):
        for (section, _), keys in found.items():
            yield '.It Bq ' + section
            yield ',\n'.join(f'{k}=' for k in keys) + '.'
        return
    for (section, how), keys in found.items():
        yield '.It ' + ' , '.join(f'Cm {k} Ns =' for k in keys) + f' Bq {section}'
        yield sentences(how)


def make(amphid):
    table = rows(amphid)
    lines = []
    for name, title, text in CLASSES:
        lines += [f'.Ss {title}', text, '.Bl -tag -width Ds', *listing(table, name), '.El']
    lines += ['.Ss Old names', 'They mean the directive behind them.', '.Bl -tag -width Ds -compact']
    lines += [f'.It Cm {key} Ns = Bq {section}\n.Cm {how} Ns =' for section, key, what, how in table if what == 'old name']
    return '\n'.join([*lines, '.El']) + '\n'


def main(amphid, page, *options):
    path = pathlib.Path(page)
    before, begin, rest = path.read_text().partition(BEGIN)
    old, end, after = rest.partition(END)
    new = make(amphid)
    if not begin or not end:
        return f'{page}: the marks of the table are missing'
    if '--write' in options:
        path.write_text(before + begin + new + end + after)
    elif old != new:
        return f'{page}: its list of directives is not that of the program: {sys.argv[0]} {amphid} {page} --write'
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
