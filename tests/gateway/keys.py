"""Texts of keys that are none."""


def damaged(text: str) -> str:
    """A key whose checksum does not fit: the first random character is another."""
    place = len("gh_live_")
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
