"""The text of secrets. The Lua gate computes the same checksum: see the fixed examples."""

import string

import pytest
from hypothesis import given, strategies as st

from accounts.secret_text import ALPHABET, checksum, hash_of, is_well_formed, new_secret, prefix_of

EXAMPLE = "gh_live_" + "0123456789ABCDEFGHIJKLMNOPQRSTUV"


def test_the_checksum_is_crc_32_in_base62():
    # 3421780262 = zlib.crc32(b"123456789"), the well-known check value
    assert checksum("123456789") == "3jZRME"
    value = 0
    for digit in checksum("123456789"):
        value = value * 62 + ALPHABET.index(digit)
    assert value == 0xCBF43926


def test_the_checksum_is_padded_with_zeros():
    assert checksum("") == "000000"


def test_a_secret_has_its_head_32_random_characters_and_a_checksum():
    text = new_secret("gh_test")
    head, random, check = text.rsplit("_", 2)
    assert (head, len(random), check) == ("gh_test", 32, checksum(f"gh_test_{random}"))
    assert set(random) <= set(string.ascii_letters + string.digits)
    assert prefix_of(text) == text[:12]
    assert len(hash_of(text)) == 64


def test_no_two_secrets_are_alike():
    assert len({new_secret("gat") for _ in range(1000)}) == 1000


def test_only_its_own_head_fits():
    text = new_secret("gh_live")
    assert is_well_formed(text, "gh_live")
    assert not is_well_formed(text, "gh_test")
    assert not is_well_formed(text, "gat")


@given(st.integers(0, 46), st.sampled_from(ALPHABET + "_-é \n"))
def test_one_changed_character_is_noticed(position, letter):
    text = f"{EXAMPLE}_{checksum(EXAMPLE)}"
    changed = text[:position] + letter + text[position + 1 :]
    assert is_well_formed(changed, "gh_live") == (changed == text)


@pytest.mark.parametrize("text", ["", "_", "gh_live_", "\x00" * 47, "ä" * 47])
def test_nonsense_is_no_secret(text):
    assert not is_well_formed(text, "gh_live")
