"""Reading products: who sees them, and what of them is live."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, SearchVectorExact
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.expressions import CombinedExpression

from accounts.models import Organization, User
from apis.models import Operation, Product, ProductInvitation, ProductOperation, ProductPage, Stage
from apis.queries import IN_USE
from apis.search import ENGLISH, words_of
from apis.visibility import seen


def product_seen_by(user: User | AnonymousUser | None, *, acting_for: Organization | None = None) -> Q:
    """The condition under which a person sees a product, published or not. Its APIs' own visibility is no matter."""
    return seen(user, acting_for=acting_for, invitations=_invitations)


def products_for(user: User | AnonymousUser | None) -> QuerySet[Product]:
    """The published products that a person sees."""
    return Product.objects.filter(product_seen_by(user), published=True).select_related("organization")


def live_operations(product: Product) -> list[ProductOperation]:
    """What readers see of its operations, in order: those of versions that answer calls.

    With `operation.version.api` and `operation.version.stages` (deployed ones, with mappings); three queries.
    """
    stages = Stage.objects.filter(deployment__isnull=False)
    return list(
        product.chosen.filter(
            operation__removed_at=None,
            operation__version__state__in=IN_USE,
            operation__version__in=stages.values("version"),
        )
        .select_related("operation__version__api")
        .defer("operation__version__document", "operation__version__findings")
        .prefetch_related(Prefetch("operation__version__stages", stages.prefetch_related("mappings")))
        .order_by("position")
    )


def find_products(products: QuerySet[Product], text: str) -> QuerySet[Product]:
    """Return those in which every word of the text begins some word, the best first; no words = all.

    Looked at are title, summary and overview, section headings, pages that are published, and the operations.
    """
    words = words_of(text)
    if not words:
        return products
    for word in words:
        query = SearchQuery(f"{word}:*", config=ENGLISH, search_type="raw")
        products = products.filter(
            Q(SearchVectorExact(_vector(), query))
            | Q(pk__in=_by_operation(query))
            | Q(pk__in=_by_page(query))
            | Q(chosen__section__icontains=word)
        )
    either = SearchQuery(" | ".join(f"{word}:*" for word in words), config=ENGLISH, search_type="raw")
    found = Product.objects.filter(pk__in=products.values("pk")).select_related("organization")
    return found.annotate(rank=SearchRank(_vector(), either)).order_by("-rank", "title")


def _vector() -> CombinedExpression:
    return (
        SearchVector("title", config=ENGLISH, weight="A")
        + SearchVector("summary", config=ENGLISH, weight="B")
        + SearchVector("text", config=ENGLISH, weight="D")
    )


def _by_operation(query: SearchQuery) -> QuerySet[ProductOperation, str]:
    operations = Operation.objects.filter(SearchVectorExact(Operation.words(), query), removed_at=None)
    return ProductOperation.objects.filter(operation__in=operations).values_list("product", flat=True)


def _by_page(query: SearchQuery) -> QuerySet[ProductPage, str]:
    words = SearchVector("title", "text", config=ENGLISH)
    pages = ProductPage.objects.filter(SearchVectorExact(words, query), published=True)
    return pages.values_list("product", flat=True)


def _invitations(invited: Q) -> QuerySet[ProductInvitation, Any]:
    return ProductInvitation.objects.filter(invited).values("product")
