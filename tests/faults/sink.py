"""A mail server that keeps books and misbehaves: `python -m tests.faults.sink PORT LOG [SECONDS A MAIL]`.

What it does to a mail is said by the recipient's local part, which begins with one of `ACTS`; all but the lasting ones
are done once an address, and then the mail is taken. Each mail that is taken is a line of the log, in the file before
the reply leaves: so a sender that dies in between has not been told.
"""

import asyncio
import json
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# What a sender must take for uncertain, since no reply follows the final dot; those that were taken all the same.
SILENT = {"hangs", "hangstaken", "dropsafter"}
ACTS = {
    "ok": "takes it",
    "r451": "puts the recipient off",
    "r550": "refuses the recipient for good",
    "d451": "puts the mail off after the final dot",
    "d554": "refuses the mail for good after the final dot",
    "hangs": "says nothing after the final dot, and has not taken it",
    "hangstaken": "says nothing after the final dot, and has taken it",
    "dropsbefore": "closes the connection in the middle of the mail",
    "dropsafter": "takes the mail and closes the connection without a word",
    "aborts": "resets the connection after the recipient",
}
# How long it takes its time over a mail that it has taken, seconds: a kill falls into that more often than not.
PONDERS = 0.02
READ_AT_ONCE = 100


class _HungUpError(Exception):
    pass


class Sink:
    def __init__(self, log: int, ponders: float = PONDERS) -> None:
        self.log, self.ponders = log, ponders
        self.seen: Counter[str] = Counter()
        self.port = 0
        self.lines: set[asyncio.StreamWriter] = set()

    def note(self, event: str, address: str, message: bytes = b"") -> None:
        found = re.search(rb"^Message-ID: (\S+)", message, re.MULTILINE | re.IGNORECASE)
        line = {"at": time.time(), "event": event, "to": address, "id": found[1].decode() if found else ""}
        os.write(self.log, json.dumps(line).encode() + b"\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines.add(writer)
        try:
            await self.talk(reader, writer)
        except (_HungUpError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.lines.discard(writer)
            writer.close()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        address = ""
        await say("220 sink ESMTP")
        while line := (await reader.readline()).decode("ascii", "replace").strip():
            verb = line[:4].upper()
            if verb in {"EHLO", "HELO"}:
                await say("250 sink")
            elif verb in {"MAIL", "RSET", "NOOP"}:
                await say("250 OK")
            elif verb == "RCPT":
                address = line[line.index("<") + 1 : line.index(">")]
                await self.recipient(address, say, writer)
            elif verb == "DATA":
                await self.data(address, reader, writer, say)
            elif verb == "QUIT":
                await say("221 Bye")
                return
            else:
                await say("502 What?")

    def act(self, address: str, *acts: str) -> str:
        """Which of these acts this address asks for now, if any; those that do not last are done once."""
        wanted = address.partition("-")[0]
        if wanted not in acts:
            return ""
        self.seen[f"{wanted}:{address}"] += 1
        lasting = wanted in {"r550", "d554"}
        return wanted if lasting or self.seen[f"{wanted}:{address}"] == 1 else ""

    async def recipient(
        self, address: str, say: Callable[[str], Awaitable[None]], writer: asyncio.StreamWriter
    ) -> None:
        match self.act(address, "r451", "r550", "aborts"):
            case "r451":
                await say("451 4.2.1 Try again later")
            case "r550":
                await say("550 5.1.1 No such mailbox")
            case "aborts":
                writer.transport.abort()
                raise _HungUpError
            case _:
                await say("250 OK")

    async def data(
        self,
        address: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        say: Callable[[str], Awaitable[None]],
    ) -> None:
        await say("354 Go on")
        if self.act(address, "dropsbefore"):
            await reader.readexactly(READ_AT_ONCE)
            # The sender may have sent the dot by now, and cannot know that it was not read.
            self.note("silent", address)
            writer.transport.abort()
            raise _HungUpError
        message = await reader.readuntil(b"\r\n.\r\n")
        match self.act(address, "d451", "d554", "hangs", "hangstaken", "dropsafter"):
            case "d451":
                await say("451 4.3.0 Not now")
                return
            case "d554":
                await say("554 5.6.0 Not this one")
                return
            case "hangs":
                self.note("silent", address)
                await asyncio.sleep(3600)
            case "hangstaken" | "dropsafter" as act:
                self.note("silent", address)
                self.note("taken", address, message)
                if act == "hangstaken":
                    await asyncio.sleep(3600)
                raise _HungUpError
        self.note("taken", address, message)
        await asyncio.sleep(self.ponders)
        await say("250 2.0.0 OK")

    async def listen(self, port: int, is_ready: Callable[[], object], is_over: asyncio.Event) -> None:
        server = await asyncio.start_server(self.serve, "127.0.0.1", port, limit=2**22)
        self.port, self.loop, self.is_over = server.sockets[0].getsockname()[1], asyncio.get_running_loop(), is_over
        is_ready()
        async with server:
            await is_over.wait()
            server.close_clients()

    def hang_up(self) -> None:
        """Close every connection, as a server does that is started again. From another thread."""
        for line in list(self.lines):
            self.loop.call_soon_threadsafe(line.close)


@contextmanager
def running(path: Path) -> Iterator[Sink]:
    """A sink in a thread of this process."""
    log, is_ready = _opened(path), threading.Event()
    sink = Sink(log)
    thread = threading.Thread(target=lambda: asyncio.run(sink.listen(0, is_ready.set, asyncio.Event())))
    thread.start()
    is_ready.wait()
    try:
        yield sink
    finally:
        sink.loop.call_soon_threadsafe(sink.is_over.set)
        thread.join()
        os.close(log)


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


if __name__ == "__main__":
    sink = Sink(_opened(Path(sys.argv[2])), *map(float, sys.argv[3:]))
    asyncio.run(sink.listen(int(sys.argv[1]), lambda: print("ready", flush=True), asyncio.Event()))
