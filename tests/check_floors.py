#!/usr/bin/env python3
"""Checks the house of src/: includes go downward only, no files call each other in a circle, files stay small, constant
tables have no pointers, nobody but main() ends the program, and no variable is exported.

  check_floors.py [SRC] [LIBRARY OR OBJECT...]

A file may include from its own floor or from below; within a floor two rooms never include each other in a circle.
A file of src/ that is in no room is an error: give it a place below. Who calls whom is read from the symbols of the
library: what is waited for comes back through pointers, which tie nobody.
"""
import pathlib
import re
import subprocess
import sys

FLOORS = [
    "cleanup usec self nofile dlnote ioprio capability strv parse textbuf",
    "identity words execline unitname unitfile specifier envfile linebuf notifymsg http json varlink exitset regexcheck probespec ratelimit",
    "jobspec spec speccheck directive directives graph fsm mode stage status ring",
    "loop log logfile proc rundir pidfile detach clone3 spawn systemd upward facts conditions execdirs dynuser credentials stream unixsock "
    "manager reaper cgroup tree fdstore unitfacts unitpath unitload install",
    "job output notifysock probe ready health control client",
    "units daemon launch instances show",
    "main run cli verbs detect inspect judge explain verify",
]
MAX_LINES = 400
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}


def room_of(name):
    """The room of a file: by its name, or by its first word (log_journal.c is of the room log)."""
    stem = pathlib.Path(name).stem
    while stem and stem not in FLOOR_OF:
        stem = stem.rpartition("_")[0]
    return stem or None


def without_comments(text):
    """The code without comments and the contents of strings, lines kept."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: "\n" * m[0].count("\n") or '""', text, flags=re.DOTALL)


def check_includes(files):
    """Yields complaints about the direction, and gathers who includes whom on the same floor."""
    beside = {}
    for path in files:
        own = room_of(path.name)
        if own is None:
            yield f"{path}: in no room, see FLOORS in {sys.argv[0]}"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            other = room_of(match[1]) if match else None
            if not other or other == own:
                continue
            if FLOOR_OF[other] > FLOOR_OF[own]:
                yield f"{path}:{number}: {own} (floor {FLOOR_OF[own]}) includes {match[1]} (floor {FLOOR_OF[other]})"
            elif FLOOR_OF[other] == FLOOR_OF[own]:
                beside.setdefault(own, set()).add(other)
    yield from circles(beside, "on one floor")


def circles(ties, what):
    """Takes away who is tied to nobody that is left, or has nobody tied to it: who stays is in a circle, or between two."""
    while ends := [one for one, others in ties.items()
                   if not others & ties.keys() or not any(one in those for those in ties.values())]:
        for one in ends:
            del ties[one]
    for one, others in sorted(ties.items()):
        yield f"a circle {what}: {one} → {', '.join(sorted(others & ties.keys()))}"


def who_calls_whom(objects):
    """The files (by the names of their objects) whose symbols each file takes."""
    defines, takes = {}, {}
    for path in objects:
        for line in subprocess.run(["nm", "-A", path], capture_output=True, text=True).stdout.splitlines():
            match = re.fullmatch(r".*?([^/:]+)\.o:[0-9a-f]* +([A-Za-z]) (\S+)", line)
            if match and match[2] == "U":
                takes.setdefault(match[1], set()).add(match[3])
            elif match and match[2] in "TDBRW":
                defines[match[3]] = match[1]
    return {file: {defines[name] for name in names if name in defines} - {file} for file, names in takes.items()}


def check_calls(objects):
    calls = who_calls_whom(objects)
    if objects and not any(calls.values()):
        yield f"no calls between files are found in {' '.join(objects)}"
    yield from circles(calls, "of calls")


def check_sizes(files):
    for path in files:
        lines = len(path.read_text().splitlines())
        if lines > MAX_LINES:
            yield f"{path}: {lines} lines, at most {MAX_LINES}"


def check_tables(files):
    """Pointers in a constant table are written by the dynamic linker at each start: DESIGN.md, "One table of directives"."""
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\bstatic const char \*const \w+\[", line):
                yield f"{path}:{number}: a table of pointers; wanted: the text in it, static const char NAME[][SIZE]"


def check_exit(files):
    """main() ends the program: by its return, or by the one exit(). _exit() after a fork is another thing."""
    calls = [f"{path.name}:{number}" for path in files
             for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1)
             for _ in re.finditer(r"(?<![\w.>])(?:exit|quick_exit)\s*\(", line)]
    if len(calls) > 1 or not all(call.startswith("main.c:") for call in calls):
        yield f"exit() is called at {', '.join(calls)}; wanted: once at most, in main.c"


def check_variables(objects):
    for path in objects:
        done = subprocess.run(["nm", "-g", "--defined-only", path], capture_output=True, text=True)
        if done.returncode:
            yield f"nm {path}: {done.stderr.strip()}"
        for line in done.stdout.splitlines():
            kind, _, name = line.partition(" ")[2].partition(" ")
            if kind in "BDGRSCV" and kind and not name.startswith("__"):
                yield f"{path}: exported variable {name}"


def main(arguments):
    src = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parent.parent / "src")
    files = sorted(path for path in src.iterdir() if path.suffix in (".c", ".h"))
    complaints = [*check_includes(files), *check_sizes(files), *check_tables(files), *check_exit(files),
                  *check_calls(arguments[1:]), *check_variables(arguments[1:])]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if not complaints:
        print(f"{len(files)} files, {len(FLOORS)} floors, downward only, no circle")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
