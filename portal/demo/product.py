"""The demo's product: what a program needs to test its own HTTP client, out of all that httpbin can do."""

from accounts.models import User
from apis.models import ApiVersion, Product
from apis.pages import create_product_page
from apis.products.change import create_product
from apis.products.choose import arrange_operations, choose_operations

SECTIONS = {
    "Echo": ("/get", "/post", "/headers", "/ip", "/user-agent"),
    "Shape the answer": ("/delay/{delay}", "/status/{codes}", "/gzip"),
    "Formats": ("/json", "/xml", "/html"),
}
TEXT = """\
Point your client at these calls and look at what comes back: they answer with what you sent, as slowly and with
the status that you ask for.
"""
GUIDE = """\
## Before you begin

Get a key on this product's overview, and send it as `x-api-key`.

## Test a time-out

Call `/delay/{delay}` with more seconds than your client waits.
"""


def make_client_kit(*, version: ApiVersion, actor: User) -> None:
    """Make it once; whoever deleted it meanwhile does not get it back while its slug is taken."""
    if Product.objects.filter(slug="client-kit").exists():
        return
    product = create_product(
        organization=version.organization,
        title="Client kit",
        slug="client-kit",
        summary="Echo, delay and break calls to test an HTTP client.",
        text=TEXT,
        published=True,
        actor=actor,
    )
    section_of = {path: section for section, paths in SECTIONS.items() for path in paths}
    found = version.operations.filter(path__in=section_of, method__in=("GET", "POST"), removed_at=None)
    rows = sorted(found, key=lambda each: list(section_of).index(each.path))
    choose_operations(product=product, version=version, operations=[each.pk for each in rows], actor=actor)
    arrange_operations(
        product=product,
        order=[each.pk for each in rows],
        sections={each.pk: section_of[each.path] for each in rows},
        actor=actor,
    )
    create_product_page(product=product, title="First steps", text=GUIDE, actor=actor)
