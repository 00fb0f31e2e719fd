"""How bodies are read: bounded, strict, with the place of the mistake in the error."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

MAX_BODY_BYTES = 10 * 1024 * 1024


class TooLarge(APIException):
    """The body is longer than we read."""

    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


def check_length(context: Mapping[str, Any] | None) -> None:
    """Refuse a body that says it is too long, before it is read."""
    request = (context or {}).get("request")
    length = request.META.get("CONTENT_LENGTH") if request else None
    if length and length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise TooLarge(f"The body is larger than {MAX_BODY_BYTES // 1024 // 1024} MiB.")


class JsonParser(BaseParser):
    """JSON in UTF-8, at most MAX_BODY_BYTES long."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        check_length(parser_context)
        raw = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise TooLarge(f"The body is larger than {MAX_BODY_BYTES // 1024 // 1024} MiB.")
        try:
            return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except UnicodeDecodeError as exc:
            raise ParseError(f"The body is not UTF-8 (byte {exc.start}).") from None
        except json.JSONDecodeError as exc:
            raise ParseError(
                f"The body is not JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}."
            ) from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as exc:
            raise ParseError(f"The body is not JSON: {exc}.") from None


class UploadParser(MultiPartParser):
    """A form with a file in it, at most MAX_BODY_BYTES long."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        check_length(parser_context)
        return super().parse(stream, media_type, dict(parser_context or {}))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
