"""What was measured, as tables; and what is promised of it."""
from contestants import CONTESTANTS

NO_LIBRARY = "libsystemd", "libjansson"


def table(title, columns, rows):
    widths = [max(len(str(row[i])) for row in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}\n")
    for row in [columns, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + " |")


def number(value, form=".0f"):
    return "-" if value is None else format(value, form)


def ordered(figures):
    return [(c.name, figures[c.name]) for c in CONTESTANTS if c.name in figures]


def launch(results):
    table("Launch, medians in µs", ["", "return", "p10-p90", "main() runs", "before the return", "CPU, whole tree",
                                    "calls, start", "calls, life"],
          [[n, number(r["return_us"]), f"{r['return_p10_us']:.0f}-{r['return_p90_us']:.0f}", number(r["main_us"]),
            number(r["main_first"], ".0%"), number(r["cpu_us"]), number(results["calls"][n]["calls_start"]),
            number(results["calls"][n]["calls_life"])] for n, r in ordered(results["launch"])])
    table("Exit status of the starter", ["COMMAND is", "missing", "bad interpreter", "ends with 1 at once"],
          [[n, *("/".join(map(str, r[case])) for case in ("missing", "badinterp", "exit1"))] for n, r in ordered(results["exits"])])


def launch_targets(results):
    times, own, calls = results["launch"], results["launch"]["amphid"], results["calls"]["amphid"]
    for peer, limit in ("daemonize", 1.3), ("start-stop-daemon", 0.3), ("daemon", 0.3):
        yield f"main() runs, x {peer}", own["main_us"] / times[peer]["main_us"], limit
    yield "the starter returns, x daemon", own["return_us"] / times["daemon"]["return_us"], 1.0
    yield "system calls of a start", calls["calls_start"], 90
    yield "system calls of a whole life", calls["calls_life"], 90


def idle(results):
    table(f"One idle COMMAND, {results['idle_seconds']} s",
          ["", "processes", "RSS kB", "private dirty kB", "wake-ups", "libraries"],
          [[n, r["processes"], r["rss_kb"], r["dirty_kb"], r["wakeups"], len(r["libraries"])]
           for n, r in ordered(results["idle"])])


def idle_targets(results):
    for name, limit in ("amphid", 140), ("amphid, restarting", 150):
        beside = results["idle"][name]
        yield f"{name}: private dirty kB", beside["dirty_kb"], limit
        yield f"{name}: wake-ups", beside["wakeups"], 0
        yield f"{name}: libraries that are for later", sum(lib.startswith(NO_LIBRARY) for lib in beside["libraries"]), 0


def restart(results):
    cells = lambda r: [number(r.get("median_us")), f"{number(r.get('p10_us'))}-{number(r.get('p90_us'))}"]
    table(f"COMMAND is killed, and stopped; medians of {results['restarts']} in µs",
          ["", "SIGKILL → new main()", "p10-p90", "stop → COMMAND gone", "p10-p90", "stop → return", "p10-p90"],
          [[n, *cells(r["restart"]), *cells(r["gone"]), *cells(r["returned"])] for n, r in results["restart"].items()])


def restart_targets(results):
    own, peer = results["restart"]["amphid"], results["restart"]["daemontools"]
    for what, text in ("restart", "SIGKILL → new main()"), ("gone", "stop → COMMAND gone"), ("returned", "stop → return"):
        against = "gone" if what == "returned" else what  # svc returns before COMMAND has ended
        yield f"{text}, x daemontools", own[what]["median_us"] / peer[against]["median_us"], 1.0


def throttle(results):
    table("COMMAND ends with 1 at once, 6 s", ["", "starts", "pause, median ms", "longest ms", "CPU"],
          [[n, r["starts"], number(r["gap_ms"], ".1f"), number(r["longest_ms"], ".0f"), number(r["cpu_percent"], ".1f") + " %"]
           for n, r in results["throttle"].items()])


def throttle_targets(results):
    yield "defaults: CPU % of a crash loop", results["throttle"]["amphid, defaults"]["cpu_percent"], 1


PARTS = {"launch": (launch, launch_targets), "idle": (idle, idle_targets), "restart": (restart, restart_targets),
         "throttle": (throttle, throttle_targets)}


def show(results, parts):
    for part in parts:
        PARTS[part][0](results)


def judge(results, parts):
    """Are all promises kept?"""
    rows = [[text, f"{value:.4g}", f"<= {limit:g}", "ok" if value <= limit else "missed"]
            for part in parts for text, value, limit in PARTS[part][1](results)]
    table("Targets", ["amphid", "measured", "asked", ""], rows)
    return all(row[-1] == "ok" for row in rows)
