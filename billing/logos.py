"""Logos on invoices: a small picture, kept as a `data:` URI so that pages and PDFs need nothing from anywhere."""

import base64
import binascii
from io import BytesIO

from accounts.errors import Refused

MAX_BYTES = 100 * 1024
MAX_PIXELS = 4_000_000
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
ADVICE = "Give a PNG or JPEG picture of at most 100 KiB and 4 megapixels."


def data_uri(picture: bytes) -> str:
    """Return a picture as `data:` URI; Refused(field `logo`) unless it is a small PNG or JPEG."""
    # most processes never read a picture
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 -- slow import of native libraries

    if len(picture) > MAX_BYTES:
        raise Refused(ADVICE, field="logo")
    try:
        with Image.open(BytesIO(picture), formats=tuple(TYPES)) as opened:
            kind, width, height = opened.format or "", opened.width, opened.height
            if width * height > MAX_PIXELS:
                raise Refused(ADVICE, field="logo")
            opened.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Refused(ADVICE, field="logo") from error
    return f"data:{TYPES[kind]};base64,{base64.b64encode(picture).decode()}"


def check_logo(uri: str) -> str:
    """Return a `data:` URI that holds a small PNG or JPEG, '' for none; Refused(field `logo`) for anything else."""
    if not uri:
        return ""
    head, _, body = uri.partition(",")
    if head not in {f"data:{kind};base64" for kind in TYPES.values()} or len(body) > 2 * MAX_BYTES:
        raise Refused(ADVICE, field="logo")
    try:
        return data_uri(base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise Refused(ADVICE, field="logo") from error
