"""The live page over HTTP, for this machine alone: one page, and one address that answers it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from seq2see.errors import ConfigError, Seq2seeError, is_out_of_memory
from seq2see.files import finite
from seq2see.report.pages.live import ADDRESS

HOST = "127.0.0.1"
_LOCAL = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.ASCII | re.IGNORECASE)
"""How this machine may be called. A stranger's page whose name was made to lead here still gives
its own name (DNS rebinding)."""
LARGEST = 64 * 1024
"""Bytes of a question at most."""
_DISCARDED = 16 * LARGEST
"""Bytes that are read of a question that is refused, so that the refusal arrives."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Answer = Callable[[Any], dict[str, Any]]


class RefusalError(Exception):
    """A request that is answered by an HTTP status and one message."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


class Server(ThreadingHTTPServer):
    """Takes a port of 127.0.0.1 at once, and serves a page on it later.

    Args:
        port: 0 takes one that is free.

    Raises:
        ConfigError: the port is taken or not allowed; name another one.
    """

    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.page = b""
        self.answer: Answer | None = None
        super().__init__((HOST, port), Handler, bind_and_activate=False)
        try:
            self.server_bind()
        except OSError as error:
            self.server_close()
            raise ConfigError(
                f"the port cannot be used ({error.strerror})",
                where=f"--port {port}",
                mend="Name another one, or 0 for any that is free",
            ) from error

    @property
    def address(self) -> str:
        """What a browser opens."""
        return f"http://{HOST}:{self.server_port}/"

    def begin(self, page: str, answer: Answer) -> None:
        """Lets browsers connect; they are answered by `run`.

        Args:
            page: the HTML.
            answer: is given what a page asks, as read from JSON; an error of seq2see's family
                becomes a message with the status 400.
        """
        self.page, self.answer = page.encode("utf-8"), answer
        self.server_activate()

    def run(self) -> None:
        """Serves until `shutdown` is called or the process is interrupted (Ctrl-C)."""
        try:
            self.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            pass
        finally:
            self.server_close()

    def handle_error(self, *_: Any) -> None:
        """Says in one line what went wrong; that a browser went away did not."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(f"error: {type(error).__name__}: {error}", file=sys.stderr)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "seq2see", ""
    timeout = 60
    """Seconds after which a silent connection is closed."""

    def do_GET(self) -> None:  # the name is http.server's
        """Hands out the page."""
        self._handle({"/": self._page})

    def do_POST(self) -> None:
        """Answers a question."""
        self._handle({ADDRESS: self._answer})

    def send_error(self, code: int, message: str | None = None, _: str | None = None) -> None:
        """Refuses what is no request, or has a method that is not known here, in JSON as well."""
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:  # http.server: 501 of a method, 505 of HTTP
            code = 405 if code == HTTPStatus.NOT_IMPLEMENTED else 400
        self.close_connection = True
        self.request_version = self.protocol_version  # or a status line would be kept from it
        self._send(HTTPStatus(code), "application/json", _error(message or HTTPStatus(code).phrase))

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the terminal quiet."""

    def _handle(self, here: dict[str, Callable[[], None]]) -> None:
        self._unread = self._length() or 0
        try:
            self._check_origin()
            path = self.path.partition("?")[0]
            if path not in ("/", ADDRESS):
                raise RefusalError(HTTPStatus.NOT_FOUND, f"nothing is at {path}; the page is at /")
            if path not in here:
                raise RefusalError(
                    HTTPStatus.METHOD_NOT_ALLOWED, f"GET / or POST {ADDRESS}, not {self.command}"
                )
            here[path]()
        except RefusalError as refusal:
            self.rfile.read(min(self._unread, _DISCARDED))
            self.close_connection = True
            self._send(refusal.status, "application/json", _error(refusal.message))

    def _check_origin(self) -> None:
        """Refuses what did not come from this machine's own page.

        Raises:
            RefusalError: another host is asked, or another site asks.
        """
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not _LOCAL.fullmatch(hosts[0]):
            raise RefusalError(HTTPStatus.FORBIDDEN, f"only {HOST} and localhost are served")
        for origin in self.headers.get_all("Origin", []):
            if origin != f"http://{hosts[0]}":
                raise RefusalError(HTTPStatus.FORBIDDEN, "another site may not ask")

    def _page(self) -> None:
        self.close_connection = True  # what may have come with the request is not read
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)

    def _answer(self) -> None:
        question = _read(self._body())
        assert self.server.answer is not None
        try:
            found = self.server.answer(question)
        except Seq2seeError as error:
            self._send(HTTPStatus.BAD_REQUEST, "application/json", _error(str(error)))
        except Exception as error:
            if not (isinstance(error, MemoryError | RuntimeError) and is_out_of_memory(error)):
                told = f"seq2see failed at this question ({type(error).__name__}: {error})"
                self._send(HTTPStatus.UNPROCESSABLE_ENTITY, "application/json", _error(told))
                return
            told = "memory ran out. Shorten the source."
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "application/json", _error(told))
        else:
            self._send(HTTPStatus.OK, "application/json", _json(found))

    def _body(self) -> bytes:
        """Reads what was sent.

        Raises:
            RefusalError: it is no JSON by its header, its length is not said, or it is too large.
        """
        if self.headers.get_content_type() != "application/json":
            raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        length = self._length()
        if length is None:
            raise RefusalError(
                HTTPStatus.LENGTH_REQUIRED, "send one Content-Length in decimal digits"
            )
        if length > LARGEST:
            raise RefusalError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{length} bytes; at most {LARGEST} are read"
            )
        self._unread = 0
        return self.rfile.read(length)

    def _length(self) -> int | None:
        said = self.headers.get_all("Content-Length", [])
        if len(said) != 1 or "Transfer-Encoding" in self.headers:
            return None
        digits = said[0].strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _read(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"not JSON ({error})") from error


def _json(value: Any) -> bytes:
    return json.dumps(finite(value), allow_nan=False, separators=(",", ":")).encode("ascii")


def _error(message: str) -> bytes:
    return _json({"error": message})
