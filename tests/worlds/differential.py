"""What `systemctl show` and `amphid explain --json` say of the same unit, held against each other: every property that both
know. What may differ is below, each rule with its reason; no unit is excused alone."""
import re

# Not compared.
SKIPPED = {
    'WatchdogUSec': 'systemctl shows what the running process was given, and none of these units run',
    'DropInPaths': 'systemd lists those of its generators in /run as well',
}
# What systemd prints as a list: some versions of systemctl quote words that a shell would split, others do not.
LISTS = ['Documentation', 'Environment', 'PassEnvironment', 'UnsetEnvironment', 'SupplementaryGroups', 'ExecSearchPath',
         'Names']
DEPENDENCIES = ['Requires', 'Requisite', 'Wants', 'BindsTo', 'PartOf', 'Upholds', 'Conflicts', 'Before', 'After', 'OnSuccess',
                'OnFailure', 'PropagatesReloadTo', 'ReloadPropagatedFrom', 'PropagatesStopTo', 'StopPropagatedFrom',
                'JoinsNamespaceOf', 'RequiresMountsFor', 'WantsMountsFor']
# What systemd adds to what the files say (systemd.unit(5), systemd.service(5), systemd.exec(5): implicit and default
# dependencies). Before= and After= are added to by what all other units say, so only what is ours is asked for there.
IMPLICIT = {
    'Requires': r'sysinit\.target|.*\.slice|.*\.mount|dbus\.socket',
    'Wants': r'.*\.mount|.*\.socket',
    'Conflicts': r'shutdown\.target',
    'Before': r'.*',
    'After': r'.*',
    'PropagatesReloadTo': r'.*',  # the inverse of what others say as ReloadPropagatedFrom=
    'ReloadPropagatedFrom': r'.*',
    'PropagatesStopTo': r'.*',
    'StopPropagatedFrom': r'.*',
    'RequiresMountsFor': r'/.*',  # of WorkingDirectory=, StateDirectory= ...
    'WantsMountsFor': r'/.*',     # of PrivateTmp=
}
# systemd.exec(5): capabilities that these directives take out of the bounding set. They are not enforced here, which is
# said; what the set itself says is compared.
TAKEN = {
    'PrivateDevices': {'cap_mknod', 'cap_sys_rawio'},
    'ProtectKernelModules': {'cap_sys_module'},
    'ProtectKernelLogs': {'cap_syslog'},
    'ProtectClock': {'cap_sys_time', 'cap_wake_alarm'},
}
UNSET = '[not set]'


def parse_show(text):
    """The output of `systemctl show A B...`: a dictionary for each. A property that is there several times has lines."""
    units = []
    for block in text.split('\n\n'):
        unit = {}
        for line in block.splitlines():
            key, equals, value = line.partition('=')
            if equals:
                unit[key] = f'{unit[key]}\n{value}' if key in unit else value
        if unit:
            units.append(unit)
    return units


def words(value):
    """The words of a list, quoted or not; what is quoted has its special characters behind a backslash."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', value)
    return [re.sub(r'\\(.)', lambda m: {'t': '\t', 'n': '\n'}.get(m[1], m[1]), quoted) if quoted else plain
            for quoted, plain in found]


def of_lists(key, theirs, ours, _unit):
    """Quoting; names are a set."""
    if key not in LISTS:
        return theirs, ours
    return (sorted(words(theirs)), sorted(words(ours))) if key == 'Names' else (words(theirs), words(ours))


def of_commands(key, theirs, ours, _unit):
    """Times and results of the last run are not in the files."""
    return (re.sub(r' ; start_time=.*?(?= \}$)', '', theirs, flags=re.M), ours) if key.startswith('Exec') and key not in LISTS else (theirs, ours)


def of_unset(_key, theirs, ours, _unit):
    """What nobody has set: systemd shows what its own process has."""
    return (ours, ours) if ours == UNSET else (theirs, ours)


def of_paths(key, theirs, ours, _unit):
    """/lib is /usr/lib: which of the names of a directory is taken differs between versions of systemd."""
    if key != 'FragmentPath':
        return theirs, ours
    return re.sub('^/usr/lib/', '/lib/', theirs), re.sub('^/usr/lib/', '/lib/', ours)


def of_streams(key, theirs, ours, _unit):
    """systemctl leaves out the path behind file:, append: and truncate:, and the name behind fd:."""
    return (theirs, ours.partition(':')[0]) if key in ('StandardInput', 'StandardOutput', 'StandardError') else (theirs, ours)


def of_capabilities(key, theirs, ours, unit):
    """See TAKEN."""
    if key != 'CapabilityBoundingSet':
        return theirs, ours
    taken = set().union(*(TAKEN[k] for k in TAKEN if unit.get(k) == 'yes'))
    return set(theirs.split()), set(ours.split()) - taken


def of_old_versions(key, theirs, ours, unit):
    """systemd 247 shows 0 for an I/O priority that is not set, later versions what the kernel makes of it; and it has
    directories as they are written, later versions in the order of their names, and "/./" in the path of a program. In 252 Type= is
    simple where it is not set, with credentials it is exec in 257, which would tell where it is so for no reason."""
    if unit['version'] < 257 and key == 'Type' and (theirs, ours) == ('simple', 'exec'):
        return theirs, theirs
    if unit['version'] < 248 and key.startswith('Exec'):
        return re.sub(r'(?<=path=)\S+', lambda m: m[0].replace('/./', '/'), theirs), ours
    if unit['version'] < 248 and key.endswith('Directory'):
        return sorted(theirs.split()), sorted(ours.split())
    if unit['version'] < 248 and key in ('IOSchedulingClass', 'IOSchedulingPriority') and theirs == '0':
        theirs = {'IOSchedulingClass': '2', 'IOSchedulingPriority': '4'}[key]
    return theirs, ours


NORMALISATIONS = [of_old_versions, of_lists, of_commands, of_unset, of_paths, of_streams, of_capabilities]


def dependencies_differ(key, theirs, ours, canonical):
    """systemctl names a unit by its Id, files name it by any of its names: @canonical tells."""
    own, there = {canonical(n) for n in words(ours)}, set(words(theirs))
    missing = own - there
    extra = {n for n in there - own if not re.fullmatch(IMPLICIT.get(key, '(?!)'), n)}
    return f'only here {sorted(missing)}, only there {sorted(extra)}' if missing or extra else None


def differs(key, theirs, ours, unit, canonical):
    """Why the values of the property @key are not the same; None: they are."""
    if key in DEPENDENCIES:
        # A dependency of a unit on itself means nothing; systemd drops it.
        return dependencies_differ(key, theirs, ours, lambda n: canonical(n)) if unit['Id'] not in words(ours) else None
    for rule in NORMALISATIONS:
        theirs, ours = rule(key, theirs, ours, unit)
    return None if theirs == ours else f'{theirs!r} there, {ours!r} here'


def compare(theirs, ours, canonical):
    """(the properties compared, [(property, why)...]) of one unit; @theirs, @ours: dictionaries; theirs has the version of
    systemd as well."""
    both = [k for k in ours if k in theirs and k not in SKIPPED and theirs[k] != '[unprintable]']
    found = [(k, differs(k, theirs[k], ours[k], theirs, canonical)) for k in both]
    return both, [(k, why) for k, why in found if why]
