"""What no log may hold: addresses that are secrets themselves."""

import logging
import re

# a preview's signed text has colons, which ids have not
_SECRET = re.compile(r"(/invitations/|/password/reset/key/|/preview/(?=[^/\s]*:))[^/\s]+")


class HideLinks(logging.Filter):
    """Cut the secret out of links that let somebody in, such as those of invitations. Keeps every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        hidden = _SECRET.sub(r"\1…", text)
        if hidden != text:
            record.msg, record.args = hidden, None
        return True
