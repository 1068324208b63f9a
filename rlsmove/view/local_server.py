"""A server for the one browser on this computer that knows its secret address."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import unquote, urlsplit

from rlsmove.errors import OutputError, RlsmoveError
from rlsmove.view.served_nights import ServedNights

HOST = "127.0.0.1"

#: Largest body of a request: an edit, with its reason.
BODY_MAX = 65_536

_PAGE = {
    "": ("view.html", "text/html; charset=utf-8"),
    "view.js": ("view.js", "text/javascript; charset=utf-8"),
    "signal_drawing.js": ("signal_drawing.js", "text/javascript; charset=utf-8"),
    "view.css": ("view.css", "text/css; charset=utf-8"),
}

#: Nothing from elsewhere is loaded, nothing is sent elsewhere, no other page may frame this one.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class ViewServer(ThreadingHTTPServer):
    """Serves the nights of a folder on the loopback interface, under a random address.

    Parameters
    ----------
    nights : ServedNights
        What is reviewed.
    reviewer : str
        Name that the page proposes for edits.
    port : int
        0 for any that is free.

    Raises
    ------
    OutputError
        The port is taken.
    """

    daemon_threads = True

    def __init__(self, nights: ServedNights, *, reviewer: str, port: int = 0) -> None:
        self.nights = nights
        self.reviewer = reviewer
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise OutputError(
                f"{HOST}:{port}",
                f"the page cannot be served there ({error})",
                advice="Choose another --port, or leave it out",
            ) from error

    @property
    def address(self) -> str:
        """The address to open."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"


class _Refused(Exception):
    """A request that is answered with a status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class _Handler(BaseHTTPRequestHandler):
    server: ViewServer
    protocol_version = "HTTP/1.1"
    server_version = "rlsmove"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        """Give the page, or what it asks for."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take an edit."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the reviewer's, and addresses hold the secret."""

    def _answer(self, act: Any) -> None:
        try:
            self._check_origin()
            content, kind, status = act(self._path())
        except _Refused as refused:
            content, kind, status = _sentence(refused.sentence), _JSON, refused.status
        except RlsmoveError as error:
            content, kind = _sentence(str(error)), _JSON
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if status >= HTTPStatus.BAD_REQUEST:
            # What was not read of a refused request must not be taken for the next one.
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)

    def _check_origin(self) -> None:
        """Refuse what other pages make a browser send here, by whatever name they call us."""
        here = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        if self.headers.get("Host", "") not in here:
            raise _Refused(HTTPStatus.FORBIDDEN, "this server answers to its own address alone")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{name}" for name in here}:
            raise _Refused(HTTPStatus.FORBIDDEN, "another page may not ask")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise _Refused(HTTPStatus.FORBIDDEN, "another page may not ask")

    def _path(self) -> list[str]:
        """Parts of the path after the secret."""
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/")[1:]]
        token = parts[0].encode("utf-8", "replace") if parts else b""
        if not secrets.compare_digest(token, self.server.token.encode()):
            raise _Refused(HTTPStatus.FORBIDDEN, "the address is not complete: its secret is wrong")
        if len(parts) < 2:
            raise _Refused(HTTPStatus.NOT_FOUND, "the address ends with a slash")
        return parts[1:]

    def _get(self, path: list[str]) -> tuple[bytes, str, HTTPStatus]:
        if len(path) == 1 and path[0] in _PAGE:
            name, kind = _PAGE[path[0]]
            return files("rlsmove.view").joinpath("page", name).read_bytes(), kind, HTTPStatus.OK
        if path == ["nights"]:
            answer = {"nights": self.server.nights.names, "reviewer": self.server.reviewer}
            return _json(answer), _JSON, HTTPStatus.OK
        if len(path) >= 3 and path[0] == "nights":
            night = self._night(path[1])
            if path[2:] == ["state"]:
                night.signals()
                return _json(night.state()), _JSON, HTTPStatus.OK
            if path[2:] == ["version"]:
                return _json({"version": night.version()}), _JSON, HTTPStatus.OK
            if len(path) == 4 and path[2] in ("samples", "strength"):
                give = night.samples if path[2] == "samples" else night.strength
                try:
                    return give(int(path[3])), "application/octet-stream", HTTPStatus.OK
                except (ValueError, IndexError):
                    raise _Refused(HTTPStatus.NOT_FOUND, f"no leg {path[3]}") from None
        raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing at this address")

    def _post(self, path: list[str]) -> tuple[bytes, str, HTTPStatus]:
        if len(path) != 3 or path[0] != "nights" or path[2] != "edits":
            raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing at this address")
        if self.headers.get_content_type() != "application/json":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "an edit comes as application/json")
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "an edit says its length") from None
        if not 0 <= length <= BODY_MAX:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {BODY_MAX} bytes")
        night = self._night(path[1])
        try:
            fields = json.loads(self.rfile.read(length))
            if not isinstance(fields, dict):
                raise ValueError("an edit is a JSON object")
            return _json(night.edit(fields)), _JSON, HTTPStatus.OK
        except (ValueError, RecursionError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from None

    def _night(self, name: str) -> Any:
        try:
            return self.server.nights.night(name)
        except KeyError:
            raise _Refused(HTTPStatus.NOT_FOUND, f"no night {name}") from None


_JSON = "application/json"


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()


def _sentence(text: str) -> bytes:
    return _json({"error": text})
