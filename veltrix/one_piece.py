"""Gunicorn's worker with threads, whose answers leave in one piece.

Gunicorn writes the head of an answer and then its body. Where the process is killed in between, nginx has promised the
reader a page that never comes. Of an answer that has not begun, it asks another node instead.
"""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# A larger answer leaves in pieces of at least so many bytes.
AT_ONCE = 1_000_000


class OnePiece:
    """A socket that holds back what is sent until it is told that this is all."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.parts: list[bytes] = []
        self.size = 0

    def sendall(self, data: bytes) -> None:
        self.parts.append(data)
        self.size += len(data)
        if self.size >= AT_ONCE:
            self.flush()

    def flush(self) -> None:
        if self.parts:
            data = b"".join(self.parts)
            self.parts, self.size = [], 0
            self.sock.sendall(data)

    def sendfile(self, *arguments: Any, **options: Any) -> Any:
        self.flush()
        return self.sock.sendfile(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


class Worker(ThreadWorker):
    def handle_request(self, req: Any, conn: Any) -> Any:
        sock = conn.sock
        conn.sock = held = OnePiece(sock)
        try:
            goes_on = super().handle_request(req, conn)
            held.flush()
            return goes_on
        finally:
            conn.sock = sock
