"""Finding APIs by words in their names, texts, tags and operations: PostgreSQL's full text search."""

import re

from django.contrib.postgres.search import (
    SearchQuery,
    SearchRank,
    SearchVector,
    SearchVectorExact,
)
from django.db.models import F, Func, IntegerField, Q, QuerySet, TextField, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.lookups import Exact

from apis.fields import apart
from apis.models import Api, ApiVersion, Operation, VersionState

ENGLISH = "english"
MOST_WORDS = 8
_WORD = re.compile(r"[^\W_]+")
IN_USE = (VersionState.PUBLISHED, VersionState.DEPRECATED)


def find_apis(apis: QuerySet[Api], text: str) -> QuerySet[Api]:
    """Return those in which every word of the text begins some word, the best first; no words = all.

    Words are compared without their endings (payments finds payment); `the` and the like are passed over.
    Looked at are name, category, tags, summary, description, and the operations of versions in use.
    """
    words = words_of(text)
    if not words:
        return apis
    for word in words:
        query = SearchQuery(f"{word}:*", config=ENGLISH, search_type="raw")
        nothing_left = Exact(Func(query, function="numnode", output_field=IntegerField()), 0)
        apis = apis.filter(
            Q(nothing_left) | Q(SearchVectorExact(_vector(), query)) | Q(pk__in=_by_operation(query))
        )
    either = SearchQuery(" | ".join(f"{word}:*" for word in words), config=ENGLISH, search_type="raw")
    return apis.annotate(rank=SearchRank(_vector(), either)).order_by("-rank", "name")


def words_of(text: str) -> list[str]:
    """The words that are looked for, in small letters."""
    return _WORD.findall(text.lower())[:MOST_WORDS]


def _vector() -> CombinedExpression:
    return (
        SearchVector(apart("name"), apart("slug"), config=ENGLISH, weight="A")
        + SearchVector("summary", "category", _joined("tags"), config=ENGLISH, weight="B")
        + SearchVector("description", config=ENGLISH, weight="D")
    )


def _joined(field: str) -> Func:
    return Func(F(field), Value(" "), function="array_to_string", output_field=TextField())


def _by_operation(query: SearchQuery) -> QuerySet[ApiVersion, str]:
    found = Operation.objects.filter(SearchVectorExact(Operation.words(), query), removed_at=None)
    versions = ApiVersion.objects.filter(pk__in=found.values("version"), state__in=IN_USE)
    return versions.values_list("api", flat=True)
