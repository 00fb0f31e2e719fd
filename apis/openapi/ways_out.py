"""What to do about a finding: one sentence for each kind of message."""

import re

_RUNTIME = (
    "Give it an http_proxy integration with a URL, or take the extension out: the version's backend answers then. "
    "Lambda functions and mapping templates come with the runtime."
)
# the first that matches a finding's message
_WAYS = (
    (r"Integrations of the type|without a type|the integration type", _RUNTIME),
    (r"integration's uri is", "Write the URL itself, such as https://api.example.com/orders."),
    (r"VPC link", "Use a URL that the gateway's nodes can reach."),
    (
        r"parameter mapping",
        "Map from the call's header, query string or path, from context or stageVariables.",
    ),
    (r"The stage variable", "Set the variable at the stage, or write the value into the document."),
    (r"placeholder|braces", "Name each {placeholder} of the URL as the path does, with both braces."),
    (r"is no method", "Use get, put, post, delete, options, head, patch or x-amazon-apigateway-any-method."),
    (r"Not declared as path", "Add a parameter with `in: path` and `required: true` for each."),
    (r"operationId .* is taken", "Give each operation an operationId of its own."),
    (r"describes no operation", "Add a path with a method under `paths`."),
    (r"has no title", "Add `info.title`: readers see it above the reference."),
    (r"does not name its version", "Add `info.version`, such as 1.0."),
    (r"is there twice|cannot tell it from", "Take one of the two out."),
    (r"TRACE is never", "Take the operation out."),
    (
        r"leads out of the document",
        "Put what it names into this document; only references with #/ are followed.",
    ),
    (r"leads nowhere|in a circle", "Correct the reference."),
    (r"Servers of a single operation", "Give the operation an http_proxy integration with its own URL."),
    (r"have no effect yet", "Nothing to do: it is kept, and counts as soon as it is served."),
    (r"does not say which OpenAPI", "Begin the document with `openapi: 3.0.3`."),
    (r"says both openapi", "Take one of the two out."),
    (r"does not define", "Define the scheme under components.securitySchemes, or take the requirement out."),
    (r"is not enforced yet|several authorizers", "Take the requirement out and check it in the backend."),
    (r"Security at the root", "Nothing to do, if each operation is meant to ask for it."),
    (r"cannot be read", "Correct what the message names, at the place given."),
    (r"timeoutInMillis", "Write a value within these bounds."),
    (r"begin with a slash", "Begin the path with /."),
)
_COMPILED = [(re.compile(pattern), way) for pattern, way in _WAYS]


def way_out(message: str) -> str:
    """Return what to do about a finding with this message; '' = it says so itself, or nothing needs doing."""
    return next((way for pattern, way in _COMPILED if pattern.search(message)), "")
