"""The pages that one process has answered last, so that it need not read them again."""

import threading
from collections import OrderedDict
from contextlib import suppress

from .pages import Page

type Key = tuple[str, ...]


class Memory:
    """Holds pages of one generation at a time, up to `most_bytes` of bodies; the longest unused go first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.size = 0
        self.lock = threading.Lock()
        # One object, so that no thread can ever see the pages of one generation under the name of another.
        self.held: tuple[str, OrderedDict[Key, Page]] = ("", OrderedDict())

    def get(self, generation: str, key: Key) -> Page | None:
        held, pages = self.held
        page = pages.get(key) if held == generation else None
        if page and self.size > self.most_bytes / 2:
            with self.lock, suppress(KeyError):
                pages.move_to_end(key)
        return page

    def put(self, generation: str, key: Key, page: Page) -> None:
        with self.lock:
            if generation != self.held[0]:
                self.held, self.size = (generation, OrderedDict()), 0
            pages = self.held[1]
            if last := pages.pop(key, None):
                self.size -= last.size
            pages[key] = page
            self.size += page.size
            while self.size > self.most_bytes:
                self.size -= pages.popitem(last=False)[1].size
