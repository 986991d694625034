"""Finds the Chromium that the browser tests drive, or installs one: `python -m tests.browser.chromium`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# First the one without the windows that nobody sees here: the same engine for a sixth less of the time.
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FURTHER_FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
APPLICATIONS = ["Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome"]
NONE = "veltrix: no Chromium was found, and none could be installed. Install one (Debian: apt-get install chromium)."


def find() -> Path | None:
    """The first Chromium that starts; a name alone says little, since some systems put a stub there."""
    return next((path for path in candidates() if starts(path)), None)


def candidates() -> list[Path]:
    folders = os.pathsep.join([os.environ.get("PATH", ""), *FURTHER_FOLDERS])
    found = [Path(path) for name in NAMES if (path := shutil.which(name, path=folders))]
    found += [Path("/Applications") / name for name in APPLICATIONS]
    return [*found, of_playwright()]


def of_playwright() -> Path:
    """Where Playwright keeps the browser of its own, whether it is there or not."""
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return Path(done.stdout.strip() or "/nowhere")


def starts(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> None:
    """Try Playwright's own download, then the system's package; `find` tells whether one of them succeeded."""
    is_root = os.geteuid() == 0
    _try([sys.executable, "-m", "playwright", "install", "chromium"], limit=300)
    if find() is None and is_root and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _try(["apt-get", "update"], limit=300, env=environment)
        for package in ("chromium-headless-shell", "chromium"):
            if find() is None:
                command = ["apt-get", "install", "-y", "--no-install-recommends", package]
                _try(command, limit=900, env=environment)


def _try(command: list[str], *, limit: int, env: dict[str, str] | None = None) -> None:
    print("veltrix: no Chromium yet, trying:", " ".join(command), file=sys.stderr)
    try:
        subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=limit,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"veltrix: {type(error).__name__}", file=sys.stderr)


def arguments() -> list[str]:
    """What Chromium needs to run without a display and without calling home; its sandbox cannot start as root."""
    options = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return [*options, "--no-sandbox"] if os.geteuid() == 0 else options


if __name__ == "__main__":
    if find() is None:
        install()
    sys.exit(0 if find() else NONE)
