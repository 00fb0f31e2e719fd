"""Logos: small pictures, and nothing else."""

import base64

import pytest

from accounts.errors import Refused
from billing.logos import MAX_BYTES, check_logo, data_uri
from tests.billing.documents.factories import picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_small_picture_is_taken_as_it_is(kind):
    assert check_logo(picture(kind)) == picture(kind)


def test_no_logo_is_fine():
    assert check_logo("") == ""


@pytest.mark.parametrize(
    "uri",
    [
        picture("GIF"),
        picture(size=(2001, 2000)),
        "data:image/svg+xml;base64," + base64.b64encode(b"<svg/>").decode(),
        "data:image/png;base64," + base64.b64encode(b"no picture").decode(),
        "data:image/png;base64,%%%",
        "http://127.0.0.1/logo.png",
        picture()[:60],
    ],
)
def test_anything_else_is_refused(uri):
    with pytest.raises(Refused) as refused:
        check_logo(uri)
    assert refused.value.field == "logo"


def test_a_large_file_is_refused_unread():
    with pytest.raises(Refused):
        data_uri(b"\x89PNG" + bytes(MAX_BYTES))
