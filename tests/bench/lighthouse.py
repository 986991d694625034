"""What Lighthouse says of the site on a slow phone: `python -m tests.bench.lighthouse` prints a table.

Lighthouse comes from npm, into the environment's folder; it drives the Chromium of the browser tests.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.browser import chromium
from tests.browser.site import Site, running_site

# The last that runs on Node.js 20.
PACKAGE = "lighthouse@12"
FOLDER = Path(sys.prefix) / "lighthouse"
ROUNDS = 3
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]
METRICS = {
    "first-contentful-paint": "FCP",
    "largest-contentful-paint": "LCP",
    "cumulative-layout-shift": "CLS",
    "total-blocking-time": "TBT",
}
TYPES = {
    "document": "HTML",
    "stylesheet": "CSS",
    "script": "Scripts",
    "font": "Fonts",
    "image": "Images",
    "total": "All",
}
ARTICLE = (
    "import django; django.setup(); from articles.models import Article; "
    "print(Article.objects.published().newest_first().first().get_absolute_url())"
)
HOW = f"""
Lighthouse ({PACKAGE}) on a page that is kept, as it simulates a phone on a slow network: the median of {ROUNDS} runs.
Paint in seconds, blocking in milliseconds; bytes by type as they go over the wire, with headers. All categories are out
of 100.
""".strip()


def program() -> Path:
    """Lighthouse; it is installed where it is not there yet."""
    found = FOLDER / "node_modules/.bin/lighthouse"
    if not found.exists():
        if not shutil.which("npm"):
            raise SystemExit("Lighthouse needs Node.js and npm. Install them (Debian: apt-get install npm).")
        FOLDER.mkdir(exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", PACKAGE], cwd=FOLDER, check=True)
    return found


def reports(site: Site, path: str) -> list[dict]:
    found: list[dict] = []
    for _ in range(2 * ROUNDS):
        with tempfile.TemporaryDirectory(prefix="veltrix-lighthouse-") as folder:
            file = Path(folder) / "report.json"
            command = [program(), site.url + path, "--quiet", "--output=json", f"--output-path={file}"]
            environment = {**os.environ, "CHROME_PATH": str(chromium.find())}
            # Now and then it does not see the page load, says so, and asks to be run again.
            if subprocess.run([*command, f"--chrome-flags={FLAGS}"], env=environment, check=False).returncode == 0:
                found.append(json.loads(file.read_text()))
        if len(found) == ROUNDS:
            return found
    raise SystemExit(f"Lighthouse could not look at {path}.")


def row(name: str, found: list[dict]) -> str:
    scores = [round(100 * median(report["categories"][key]["score"] for report in found)) for key in CATEGORIES]
    values = {key: median(report["audits"][key]["numericValue"] for report in found) for key in METRICS}
    items = found[-1]["audits"]["resource-summary"]["details"]["items"]
    sizes = {item["resourceType"]: item["transferSize"] for item in items}
    cells = [
        *map(str, scores),
        f"{values['first-contentful-paint'] / 1000:.2f}",
        f"{values['largest-contentful-paint'] / 1000:.2f}",
        f"{values['cumulative-layout-shift']:.3f}",
        f"{values['total-blocking-time']:.0f}",
        *(f"{sizes.get(kind, 0):,}" for kind in TYPES),
    ]
    return f"| {name} | {' | '.join(cells)} |"


def table() -> str:
    if chromium.find() is None:
        chromium.install()
    heads = ["Page", "Performance", "Accessibility", "Best practices", "SEO", *METRICS.values(), *TYPES.values()]
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    with running_site() as site:
        article = site.run("-c", ARTICLE).strip().splitlines()[-1]
        for name, path in {"Article": article, "Home": "/", "Comparison": "/careers/"}.items():
            lines.append(row(name, reports(site, path)))
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
