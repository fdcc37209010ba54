"""What a request over HTTP says of itself, and the refusal of what it should not say."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from primerace.plain import shown

Environment = dict[str, Any]

PIECE = 1 << 20  # bytes that are dropped at a time
LENGTH = re.compile(r"[0-9]{1,100}", re.ASCII)


class Refusal(Exception):
    """What is wrong with a request: the status, a sentence, and headers that tell more."""

    def __init__(self, status: HTTPStatus, error: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(error)
        self.status, self.headers = status, headers


def allow(environ: Environment, methods: tuple[str, ...]) -> None:
    """Refuse other methods."""
    method = environ["REQUEST_METHOD"]
    if method not in methods:
        allowed = ", ".join(methods)
        raise Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"{shown(environ['PATH_INFO'])} takes {allowed}, not {shown(method)}",
            [("Allow", allowed)],
        )


def stated_length(environ: Environment) -> int | None:
    """How long the body is by its header, if that says it."""
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        return None
    if not LENGTH.fullmatch(text):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Content-Length is a number of bytes, not {shown(text)}")
    return int(text)


def receive(stream: Any, size: int) -> bytes:
    """What comes of so many bytes."""
    try:
        body: bytes = stream.read(size)
    except OSError:  # a chunk that is not the last one ended it
        raise Refusal(HTTPStatus.BAD_REQUEST, "the body broke off") from None
    return body


def drop(stream: Any, size: int) -> None:
    """Read so many bytes, or as many as come, and forget them."""
    with suppress(OSError):
        while size > 0 and (piece := stream.read(min(size, PIECE))):
            size -= len(piece)


def check_media_type(environ: Environment) -> None:
    """Refuse what says that it is no JSON, or that it is compressed."""
    media_type = environ.get("CONTENT_TYPE") or "application/json"
    encoding = environ.get("HTTP_CONTENT_ENCODING") or "identity"
    if media_type.partition(";")[0].strip().lower() != "application/json":
        wrong = f"Content-Type is application/json here, not {shown(media_type)}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, wrong)
    if encoding.strip().lower() != "identity":
        wrong = f"the body is taken as it is, without Content-Encoding {shown(encoding)}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, wrong)


def too_large(what: str, limit: str) -> Refusal:
    """The refusal of what goes beyond a limit."""
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{what}; the limit is {limit}")


def refuse_float(text: str) -> Any:
    """Refuse a number that is no integer, also NaN, which JSON does not have."""
    raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"{shown(text)[1:-1]} is not an integer")


def kind_of(value: Any) -> str:
    """What JSON calls the kind of a value.

    >>> kind_of("17")
    'a string'
    """
    kinds = {dict: "an object", list: "a list", str: "a string", int: "a number", type(None): "null"}
    return kinds.get(type(value)) or json.dumps(value)
