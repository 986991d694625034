"""Pages in Redis or Valkey, for any number of machines.

Every key begins with the identity that the server has had since it was started, so that nothing counts which it has
read back from a disk: what was changed since may be missing there. A generation is a random word under a key of its
own; a page holds the word under which it was rendered. The word is read by a command that counts as a write: a server
that refuses writes could not be told of a publication, and so answers nobody.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from redis import Redis as Client
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from .stores import LOOKS, PATIENCE, Complaints, UnavailableError

# In seconds: what an answer on a local network may take, and how long a failed server is left alone.
TIMEOUT = 0.5
REST = 1.0
# A lock whose holder has died ends by itself; in milliseconds.
LOCKED_FOR = 10_000
# Take a lock back only from oneself.
UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"


class Redis:
    """See `stores.Store`. How much is kept, and what goes first, is for the server’s `maxmemory` settings."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Each thread has a connection of its own, and the name by which the server was known when it was made.
        self.local = threading.local()
        self.rests_until = 0.0
        # How many generations were to begin, and how many of them the server has been told of.
        self.due = self.told = 0
        self.lock = threading.Lock()
        self.complaints = Complaints()

    def generation(self) -> str:
        if time.monotonic() < self.rests_until:
            raise UnavailableError
        if self.told < self.due:
            self.renew()
        return self._do(self._generation)

    def _generation(self, client: Client, server: str) -> str:
        key = f"{server}:generation"
        word: Any = client.getex(key)
        if word is None:
            own = secrets.token_hex(12).encode()
            # Where another one’s was there, and is over by now, nobody else ever reads a generation of this name.
            word = own if client.set(key, own, nx=True) else client.getex(key) or own
        return f"{server}:{word.decode()}"

    def read(self, generation: str, key: str) -> bytes | None:
        server, _, word = generation.rpartition(":")
        data: Any = self._do(lambda client, _: client.get(f"{server}:page:{key}"))
        mark = f"{word}\n".encode()
        return data[len(mark) :] if data and data.startswith(mark) else None

    def write(self, generation: str, key: str, data: bytes, seconds: float) -> None:
        server, _, word = generation.rpartition(":")
        value, milliseconds = f"{word}\n".encode() + data, max(1, int(seconds * 1000))
        self._do(lambda client, _: client.set(f"{server}:page:{key}", value, px=milliseconds))

    def renew(self) -> None:
        with self.lock:
            self.due += 1
            number = self.due
        # A server that has no room left can still forget; the next one to read makes a new word.
        self._do(lambda client, server: client.delete(f"{server}:generation"))
        with self.lock:
            self.told = max(self.told, number)

    @contextlib.contextmanager
    def flight(self, key: str) -> Iterator[bool]:
        token = secrets.token_hex(12)
        try:
            name, leads = self._locked(key, token)
        except UnavailableError:
            # Better twice than not at all.
            yield True
            return
        try:
            yield leads
        finally:
            with contextlib.suppress(UnavailableError):
                self._do(lambda client, _: client.eval(UNLOCK, 1, name, token))

    def _locked(self, key: str, token: str) -> tuple[str, bool]:
        """Wait for the lock of a page; its name, and whether nobody else had it before."""
        waited = False
        deadline = time.monotonic() + PATIENCE
        while True:
            name, taken = self._do(lambda client, server: self._lock(client, f"{server}:lock:{key}", token))
            if taken or time.monotonic() > deadline:
                return name, taken and not waited
            waited = True
            time.sleep(LOOKS)

    @staticmethod
    def _lock(client: Client, name: str, token: str) -> tuple[str, bool]:
        return name, bool(client.set(name, token, nx=True, px=LOCKED_FOR))

    def _do[T](self, act: Callable[[Client, str], T]) -> T:
        try:
            client, server = self._connection()
            return act(client, server)
        except ResponseError as error:
            # It is there and refuses this: it has no room left, perhaps.
            self.complaints.tell(error)
            raise UnavailableError(str(error)) from error
        except (RedisError, OSError) as error:
            self._drop()
            self.rests_until = time.monotonic() + REST
            self.complaints.tell(error)
            raise UnavailableError(str(error)) from error

    def _connection(self) -> tuple[Client, str]:
        """This thread’s connection. After a failure another one is made, which asks anew who the server is."""
        if not hasattr(self.local, "connection"):
            # One that fails is never mended unseen: the server might be another one by then.
            client = Client.from_url(
                self.url,
                single_connection_client=True,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),
            )
            info: Any = client.info("server")
            self.local.connection = client, f"veltrix:{info['run_id'][:16]}"
        return self.local.connection

    def _drop(self) -> None:
        if connection := self.local.__dict__.pop("connection", None):
            with contextlib.suppress(RedisError, OSError):
                connection[0].close()
