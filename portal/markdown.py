"""Providers' Markdown as safe HTML: rendered, then cleaned by an allow list."""

import markdown
import nh3

TAGS = {
    "a", "abbr", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "h2", "h3", "h4", "hr", "img", "li",
    "ol", "p", "pre", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "abbr": {"title"}}
# the page has its own h1 and h2, so a text's headings begin below them
_LOWER = (("h4", "h4"), ("h3", "h4"), ("h2", "h3"), ("h1", "h3"))


def render(text: str) -> str:
    """Return HTML in which no script, style, form or foreign scheme is left."""
    html = markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists"], output_format="html")
    for name, lower in _LOWER:
        html = html.replace(f"<{name}>", f"<{lower}>").replace(f"</{name}>", f"</{lower}>")
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow ugc",
    )
