#!/usr/bin/env python3
"""The journal catalog explains every stage of src/stage.h once, under its message ID, and nothing else.

usage: check_catalog.py [STAGE_H CATALOG]
"""

import re
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent

# In stage.h the name of a stage and its message ID stand side by side; in the catalog a comment names the stage.
STAGE = re.compile(r'"([a-z][a-z0-9-]*)"\s*,\s*"([0-9a-f]{32})"')
ENTRY = re.compile(r"^-- ([0-9a-f]{32})$")
COMMENT = re.compile(r"^# stage: (\S+)$")
FIELD = re.compile(r"@([A-Z_]+)@")

EVERYWHERE = {f"AMPHID_{f}" for f in ("STAGE", "NAME", "PPID", "PID", "PGID", "SID", "TTY")}
BY_STAGE = {
    "detect": {"AMPHID_MODE", "AMPHID_REASON"},
    "exec": {"AMPHID_MAIN_PID"},
    "ready": {"AMPHID_MAIN_PID"},
    "output": {"AMPHID_DROPPED_LINES"},
    "child-exit": {"AMPHID_MAIN_PID", "AMPHID_EXIT_CODE", "AMPHID_EXIT_STATUS"},
    "stopped": {"AMPHID_RESULT"},
    "failed": {"AMPHID_RESULT"},
}


def read_stages(path):
    with open(path, encoding="utf-8") as source:
        return STAGE.findall(source.read())


def read_catalog(path):
    """A list of (stage, message ID, header lines, text lines), one an entry."""
    entries, stage = [], None
    with open(path, encoding="utf-8") as catalog:
        for line in catalog.read().splitlines():
            if match := COMMENT.match(line):
                stage = match[1]
            elif match := ENTRY.match(line):
                entries.append((stage, match[1], [], []))
                stage, in_header = None, True
            elif line.startswith("#") or not entries:
                continue
            elif in_header and not line:
                in_header = False
            else:
                entries[-1][2 if in_header else 3].append(line)
    return entries


def complaints(stages, entries):
    if not stages:
        yield "no stage was found in the header"
    for what in (0, 1):
        names = [stage[what] for stage in stages]
        yield from (f"{name} twice in the header" for name in set(names) if names.count(name) > 1)
    if [entry[:2] for entry in entries] != stages:
        for missing in sorted(set(stages) - {entry[:2] for entry in entries}):
            yield "not in the catalog: %s %s" % missing
        for extra in sorted({(str(entry[0]), entry[1]) for entry in entries} - set(stages)):
            yield "only in the catalog: %s %s" % extra
        yield "the catalog is not, entry by entry, in the order of the header"
    for stage, _, header, text in entries:
        keys = [line.partition(":")[0] for line in header]
        if keys[:2] != ["Subject", "Defined-By"] or not any(text):
            yield f"{stage}: needs Subject, Defined-By and a text"
        known = EVERYWHERE | BY_STAGE.get(stage, set())
        for field in sorted(set(FIELD.findall("\n".join(header + text))) - known):
            yield f"{stage}: its records have no field {field}"


def main():
    stage_h, catalog = sys.argv[1:] or (TREE / "src/stage.h", TREE / "systemd/amphid.catalog")
    found = list(complaints(read_stages(stage_h), read_catalog(catalog)))
    for complaint in found:
        print(f"{catalog}: {complaint}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
