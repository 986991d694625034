"""What gunicorn's settings do to the site: `python -m tests.bench.tuning` prints the table."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench.servers import Load, gunicorn
from tests.bench.serving import BROTLI, ROUNDS, SECONDS, prepare

# What differs from `veltrix/serving.py`: settings of the site, and options of gunicorn.
VARIANTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "As it is: 8 threads, connections kept": ({}, []),
    "2 threads": ({"WEB_THREADS": "2"}, []),
    "32 threads": ({"WEB_THREADS": "32"}, []),
    "No thread but one (sync), which keeps no connection": ({}, ["--worker-class", "sync", "--threads", "1"]),
    "8 threads, no connection kept": ({"WEB_KEEPALIVE": "0"}, []),
}
HOW = f"""
The longest article on SQLite, kept and rendered anew each time: answers a second, and milliseconds within which 99 of
100 came. The same load as above, the median of {ROUNDS} rounds of {SECONDS} seconds in which all take turns.
""".strip()


def table() -> str:
    with tempfile.TemporaryDirectory(prefix="veltrix-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        environment, told = prepare(folder, f"sqlite:///{folder}/site.sqlite3")
        kept, uncached = Load(told["article"], BROTLI), Load(told["article"])
        cases = []
        for variant, (settings, options) in VARIANTS.items():
            for load, cache in (kept, {}), (uncached, {"CACHE_URL": "off"}):
                at = environment | settings | cache
                server = stack.enter_context(gunicorn(str(len(cases)), "veltrix.wsgi", folder, at, *options))
                cases.append((variant, server, load))
        found: dict[str, list[list[float]]] = {}
        for _ in range(ROUNDS):
            for variant in VARIANTS:
                runs = [load.run(server, SECONDS, folder) for name, server, load in cases if name == variant]
                found.setdefault(variant, []).append([number for run in runs for number in run])
    lines = ["| Gunicorn | Kept | 99 of 100 | Rendered | 99 of 100 |", "| --- | ---: | ---: | ---: | ---: |"]
    for variant, rounds in found.items():
        kept_rate, kept_slow, rate, slow = (median(column) for column in zip(*rounds, strict=True))
        lines.append(f"| {variant} | {kept_rate:,.0f} | {kept_slow:.1f} ms | {rate:,.0f} | {slow:,.0f} ms |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
