"""The live page over HTTP: for this machine alone, and no request that ends in a traceback."""

from __future__ import annotations

import html
import http.client
import json
import socket
import threading
import urllib.request
from typing import Any

import pytest
from report_samples import SCRIPT, Made, Served

from seq2see.errors import ConfigError, DataError
from seq2see.report.html import render
from seq2see.report.serve import LARGEST, Server

ZERO = {"at": "decoder.1.cross", "head": 0, "to": "zero"}
JSON = {"Content-Type": "application/json"}


def answer(question: Any) -> dict[str, Any]:
    """Stands for a model."""
    told = question["source"]
    if told == "wrong":
        raise DataError("found it wrong", mend="Mend it")
    if told == "defect":
        raise KeyError("secret")
    if told == "memory":
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
    return {"told": told, "nothing": float("nan")}


@pytest.fixture(scope="module")
def server():
    with Server(0) as one:
        one.begin("<p>é</p>", answer)
        thread = threading.Thread(target=one.run, daemon=True)
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def ask(
    server: Server, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, Any, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.request(method, path, body or None, headers or {})
    found = connection.getresponse()
    text = found.read()
    connection.close()
    kind = found.headers.get_content_type()
    return found.status, json.loads(text) if kind == "application/json" and text else text, found


def post(server: Server, question: Any, **headers: str) -> tuple[int, Any]:
    body = question if isinstance(question, bytes) else json.dumps(question).encode()
    status, told, _ = ask(server, "POST", "/answer", body, {**JSON, **headers})
    return status, told


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


def test_the_page_is_handed_out(server: Server) -> None:
    with urllib.request.urlopen(server.address, timeout=30) as found:
        assert found.read().decode() == "<p>é</p>"
        assert found.headers["Content-Type"] == "text/html; charset=utf-8"
        assert found.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        assert found.headers["Cache-Control"] == "no-store"
        assert "Python" not in found.headers["Server"]


def test_a_question_is_answered_in_json(server: Server) -> None:
    assert post(server, {"source": SCRIPT}) == (200, {"told": SCRIPT, "nothing": None})


def test_one_connection_serves_many_questions(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    for told in ("a", "b"):
        connection.request("POST", "/answer", json.dumps({"source": told}), JSON)
        assert json.loads(connection.getresponse().read())["told"] == told
    connection.close()


HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.2",
    "[::1",
    "",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_host_is_refused(server: Server, method: str, host: str) -> None:
    path = "/" if method == "GET" else "/answer"
    status, told, _ = ask(server, method, path, b'{"source": "a"}', {**JSON, "Host": host})
    assert (status, told) == (403, {"error": "only 127.0.0.1 and localhost are served"})


def test_this_machine_may_be_called_by_name_through_any_port(server: Server) -> None:
    for host in (f"localhost:{server.server_port}", "LOCALHOST:9000", "127.0.0.1"):
        assert ask(server, "GET", "/", headers={"Host": host})[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1", ""]
)
def test_another_site_is_refused(server: Server, origin: str) -> None:
    assert post(server, {"source": "a"}, Origin=origin) == (
        403,
        {"error": "another site may not ask"},
    )


def test_its_own_page_may_ask(server: Server) -> None:
    own = f"http://127.0.0.1:{server.server_port}"
    assert post(server, {"source": "a"}, Origin=own)[0] == 200


@pytest.mark.parametrize(
    ("question", "status", "message"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"[" * 60_000, 400, "not JSON"),
        (b"x" * (LARGEST + 1), 413, f"at most {LARGEST}"),
        (b"x" * (3 * LARGEST), 413, f"at most {LARGEST}"),
        ({"source": "wrong"}, 400, "found it wrong. Mend it."),
        ({"source": "defect"}, 422, "seq2see failed at this question (KeyError: 'secret')"),
        ({"source": "memory"}, 413, "memory ran out"),
        (b"3", 422, "TypeError"),
    ],
)
def test_an_error_is_one_message_in_json(server, question, status, message, capfd) -> None:
    found, told = post(server, question)
    assert found == status
    assert list(told) == ["error"] and message in told["error"]
    assert "Traceback" not in told["error"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/../etc/passwd", 404),
        ("GET", "//[", 404),
        ("POST", "/elsewhere", 404),
        ("GET", "/answer", 405),
        ("POST", "/", 405),
        ("PUT", "/answer", 405),
        ("OPTIONS", "/answer", 405),
        ("HEAD", "/", 405),
    ],
)
def test_other_requests_are_refused_in_json(server: Server, method, path, status) -> None:
    found, told, whole = ask(server, method, path, b"{}" * (method == "POST"), JSON)
    assert found == status
    assert whole.headers["Content-Type"] == "application/json"
    assert told == b"" if method == "HEAD" else list(told) == ["error"]


def test_only_json_of_a_known_length_is_read(server: Server) -> None:
    assert post(server, {"source": "a"}, **{"Content-Type": "text/plain"})[0] == 415
    for length in ("-1", "1e3", "٣", "9" * 30):
        status, told = raw(server, f"Content-Length: {length}")
        assert (status, list(told)) == (411, ["error"])
    assert raw(server, "Content-Length: 2\r\nContent-Length: 3")[0] == 411
    assert raw(server, "Transfer-Encoding: chunked")[0] == 411


def raw(server: Server, headers: str, first: str = "POST /answer HTTP/1.1") -> tuple[int, Any]:
    """Sends a request as it is written."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as line:
        text = f"{first}\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n\r\n"
        line.sendall(text.encode())
        line.shutdown(socket.SHUT_WR)
        found = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = found.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_an_address_that_is_none_is_refused(server: Server) -> None:
    status, told = raw(server, "Content-Length: 0", "GET http://[ HTTP/1.1")
    assert (status, list(told)) == (404, ["error"])


@pytest.mark.parametrize(
    "first", ["NONSENSE", "GET / HTTP/9.9", "GET / HTTP/x", f"GET /{'x' * 70_000} HTTP/1.1"]
)
def test_what_is_no_request_is_refused_in_json(server: Server, first: str) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as line:
        line.sendall(f"{first}\r\n\r\n".encode())
        found = b"".join(iter(lambda: line.recv(65536), b""))
    assert b'{"error":' in found
    assert found.startswith(b"HTTP/1.1 4")


def test_a_port_that_is_taken_is_named(server: Server) -> None:
    with pytest.raises(ConfigError, match=rf"--port {server.server_port}: .*0 for any"):
        Server(server.server_port)


# With a model behind it.


def test_a_model_answers_over_http(live_transformer: Served) -> None:
    question = {"source": "abc", "edits": [ZERO]}
    status, told = post(live_transformer.server, question)
    assert status == 200
    assert told == json.loads(json.dumps(live_transformer.live.answer(question)))
    assert told["edited"]["text"] is not None
    status, told = post(live_transformer.server, {"source": "abc", "edits": [{**ZERO, "head": 9}]})
    assert (status, told) == (
        400,
        {"error": "edits[0].head: found 9; expected heads from 0 to 1."},
    )


def test_two_pages_ask_at_once(live_transformer: Served) -> None:
    asked = [{"source": "abc", "edits": [ZERO] * number} for number in (0, 1)]
    alone = [post(live_transformer.server, one) for one in asked]
    found: dict[int, list[Any]] = {}

    def work(number: int) -> None:
        found[number] = [post(live_transformer.server, asked[number]) for _ in range(4)]

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone[0] != alone[1]
    assert found == {number: [each] * 4 for number, each in enumerate(alone)}


def test_only_the_live_page_may_ask_and_the_file_stays_as_it_was(
    live_transformer: Served, transformer: Made
) -> None:
    assert "connect-src 'self'" in html.unescape(live_transformer.html)
    assert "fetch(data.address" in live_transformer.html
    assert render(transformer.report) == transformer.html
    for part in ("connect-src", "fetch(data.address", 'id="live"', "likelihoods"):
        assert part not in transformer.html
    assert "This file fetches nothing" in transformer.html
    assert "This file fetches nothing" not in live_transformer.html
