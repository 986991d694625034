"""Writes every page that readers can meet into a folder: `python -m tests.browser.save_pages FOLDER`."""

import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from .pages import PAGES, Visit
from .site import Site, running_site


def fetch(site: Site, visit: Visit) -> bytes:
    """The page's HTML as it is served."""
    path, form = visit.filled(site.staged)
    data = None if form is None else urlencode(form).encode()
    origin = {"Sec-Fetch-Site": "cross-site" if visit.is_from_elsewhere else "same-origin"}
    request = Request(site.url + path, data=data, headers=origin)  # noqa: S310
    try:
        answer = urlopen(request)  # noqa: S310
    except HTTPError as error:
        answer = error
    with answer:
        if answer.status != visit.status:
            sys.exit(f"{visit.name}: {request.full_url} answered {answer.status}, not {visit.status}")
        return answer.read()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with running_site() as site:
        for visit in PAGES:
            with site.after(visit.statement):
                (folder / f"{visit.name}.html").write_bytes(fetch(site, visit))
    print(f"{len(PAGES)} pages written.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
