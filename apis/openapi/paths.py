"""Paths of operations: their variables, and what makes one impossible to serve."""

import re
from urllib.parse import unquote

VARIABLE = re.compile(r"\{([^{}/]*)\}")
MAX_BYTES = 2_000


def variables_of(path: str) -> list[str]:
    """Return the names of a path's variables in order; `{proxy+}` gives `proxy`.

    The position in this list is the number by which the gateway's entries name a captured variable.
    """
    return [name.removesuffix("+") for name in VARIABLE.findall(path)]


def shape(path: str) -> str:
    """Return the path without the names of its variables: what a call can tell apart."""
    bare = VARIABLE.sub(lambda found: "{+}" if found[1].endswith("+") else "{}", path)
    return "\n".join(unquote(segment) for segment in bare.split("/"))


def unserved_reason(path: str) -> str:
    """Say why no call could reach this path; '' when one can."""
    if path == "$default":
        return "The route $default is not served yet; use ANY /{proxy+}."
    rest = VARIABLE.sub("", path)
    names = VARIABLE.findall(path)
    last = path.rsplit("/", 1)[-1]
    greedy = sum(name.endswith("+") for name in names)
    faults = {
        "Its path does not begin with a slash.": not path.startswith("/"),
        "Its path has a '#' or '?': what follows is no part of a request's path.": "#" in path or "?" in path,
        "The braces in its path do not match.": "{" in rest or "}" in rest,
        "Its path has a variable without a name.": any(not name.removesuffix("+") for name in names),
        "Its path has a segment . or .., which no client sends.": bool({".", ".."} & set(path.split("/"))),
        "Two variables of its path stand side by side, so nothing tells them apart.": "}{" in path,
        "Its path has a percent-encoding that is not UTF-8.": "\ufffd" in unquote(rest)
        and "\ufffd" not in rest,
        "Its path has control characters.": bool(re.search(r"[\x00-\x1f\x7f]", path)),
        "A greedy variable such as {proxy+} must be the whole last part of the path.": greedy > 1
        or (greedy == 1 and not re.fullmatch(r"\{[^{}/]+\+\}", last)),
    }
    return next((reason for reason, is_so in faults.items() if is_so), "")


def refusal(path: str) -> str:
    """Say why this path cannot even be kept as an operation; '' when it can."""
    if "\x00" in path or any("\ud800" <= letter <= "\udfff" for letter in path):
        return "The path has characters that cannot be stored; the operation is left out."
    if len(path.encode()) > MAX_BYTES:
        return f"The path is longer than {MAX_BYTES} bytes; the operation is left out."
    return ""
