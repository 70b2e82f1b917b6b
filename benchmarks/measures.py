"""What is measured: launch(), system_calls(), exit_codes(), idle(), libraries()."""
import os
import pathlib
import re
import statistics
import subprocess
import time

import world

COMMAND = str(world.BIN / "command")
STAMP_SIZE = 16


def launch(contestants, amphid, rounds, realtime):
    """Medians of interleaved rounds, in microseconds. @realtime: everybody else on the machine has to wait."""
    prefix = ["chrt", "--rr", "1"] if realtime else []
    table = "".join("\t".join([c.name, *world.fill(c.launch, c, amphid, COMMAND, "{round}")]) + "\n"
                    for c in contestants if c.launch)
    done = subprocess.run([*prefix, world.BIN / "timer", str(rounds), world.STAMP], input=table, capture_output=True, text=True,
                          check=True, cwd="/")
    samples = {}
    for line in done.stdout.splitlines():
        name, *numbers = line.split("\t")
        samples.setdefault(name, []).append([int(number) for number in numbers])
    return {name: summary(rows) for name, rows in samples.items()}


def summary(rows):
    returned = sorted(row[0] / 1e3 for row in rows)
    ran = [row[2] / 1e3 for row in rows if row[2]]
    return {
        "return_us": statistics.median(returned),
        "return_p10_us": returned[len(rows) // 10],
        "return_p90_us": returned[len(rows) * 9 // 10],
        "main_us": statistics.median(ran) if ran else None,
        "main_first": sum(1 for row in rows if 0 < row[2] < row[0]) / len(rows),
        "cpu_us": statistics.median(row[3] / 1e3 for row in rows),
        "failed": sum(1 for row in rows if row[1]),
    }


def count_calls(path, command):
    """Lines that are calls: not the second halves, not signals, not ends, and not what COMMAND itself does."""
    count, commands = 0, set()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            pid, rest = line.split(None, 1)
            if pid in commands or re.match(r"<\.\.\. |\+\+\+ |--- ", rest):
                continue
            count += 1
            if rest.startswith(f'execve("{command}"'):
                commands.add(pid)
    return count


def asleep(path):
    """Nothing traced calls anything any more: the file has not grown for a while."""
    state = {"size": -1, "since": time.monotonic()}

    def condition():
        size = os.path.getsize(path)
        if size != state["size"]:
            state.update(size=size, since=time.monotonic())
        return time.monotonic() - state["since"] > 0.5 and os.path.exists(world.STAMP)
    return condition


def system_calls(contestants, amphid):
    """In the whole tree: until all sleep with COMMAND running; and of a whole life, with a COMMAND that ends at once."""
    results = {}
    for c in (c for c in contestants if c.launch):
        counts = []
        for command, wanted in (COMMAND, asleep), (str(world.BIN / "exit0"), None):
            path = f"{world.SCRATCH}/strace"
            open(path, "w", encoding="utf-8").close()
            tracer = world.start(c.name, ["strace", "-f", "-o", path,
                                          *world.fill(c.launch, c, amphid, command, f"calls{len(counts)}")])
            ended = lambda tracer=tracer: tracer.poll() is not None
            sleeps = wanted(path) if wanted else ended
            over = world.wait_until(lambda: sleeps() or ended(), 10)
            counts.append(count_calls(path, command) if over else None)
            world.clear()
            tracer.wait()
        results[c.name] = {"calls_start": counts[0], "calls_life": counts[1]}
    return results


def exit_codes(contestants, amphid, times=5):
    """What the caller of the starter learns; a set where it differs."""
    cases = {"missing": "/nonexistent/command", "badinterp": str(world.BIN / "badinterp"),
             "exit1": str(world.BIN / "exit1")}
    results = {}
    for c in (c for c in contestants if c.launch and "{command}" in c.launch):
        codes = results[c.name] = {}
        for case, command in cases.items():
            seen = set()
            for i in range(times):
                starter = world.start(c.name, world.fill(c.launch, c, amphid, command, f"{case}{i}"))
                seen.add(starter.wait(20))
                world.clear()
            codes[case] = sorted(seen)
    return results


def rollup(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {key: int(value) for key, value in re.findall(r"(\w+): +(\d+) kB", text)}


def switches(pid):
    texts = (path.read_text() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"))
    return sum(int(number) for text in texts for number in re.findall(r"ctxt_switches:\t(\d+)", text))


def libraries(pid):
    text = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return sorted(set(re.findall(r"/([^/\n]+\.so[.\d]*)$", text, re.MULTILINE)))


def supervisors():
    """name -> PIDs of what stays beside COMMAND."""
    found = {}
    for pid, name in world.marked():
        try:
            if os.readlink(f"/proc/{pid}/exe") != COMMAND:
                found.setdefault(name, []).append(pid)
        except OSError:
            pass
    return found


def idle(contestants, amphid, seconds):
    """All of them at once, each with one idle COMMAND; they sleep, so none disturbs another."""
    stay = [c for c in contestants if c.supervise]
    for c in stay:
        world.start(c.name, world.fill(c.supervise, c, amphid, COMMAND, "idle"))
    running = lambda: os.path.exists(world.STAMP) and os.path.getsize(world.STAMP) >= STAMP_SIZE * len(stay)
    if not world.wait_until(running, 30):
        raise RuntimeError(f"not all of {len(stay)} contestants have started COMMAND")
    time.sleep(3)  # what they do after the start is not what they do while idle
    found, results = supervisors(), {}
    before = {pid: switches(pid) for pids in found.values() for pid in pids}
    time.sleep(seconds)
    for name, pids in found.items():
        memory = [rollup(pid) for pid in pids]
        results[name] = {"processes": len(pids),
                         "rss_kb": sum(m["Rss"] for m in memory),
                         "dirty_kb": sum(m["Private_Dirty"] for m in memory),
                         "wakeups": sum(switches(pid) - before[pid] for pid in pids),
                         "libraries": sorted({lib for pid in pids for lib in libraries(pid)})}
    world.clear()
    return results
