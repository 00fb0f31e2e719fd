"""Addresses of own pages and invitations, which an API, a product and the website have alike."""

from django.urls import URLPattern, URLResolver, include, path

from portal.views import provider_website
from portal.views.guests import Guests
from portal.views.written_pages import WrittenPages


def written_pages(
    prefix: str, views: WrittenPages, page: str = "<slug:page>"
) -> list[URLPattern | URLResolver]:
    """The list, a new one, one, and its end; names begin with `prefix`."""
    return [
        path("pages/", views.listing, name=f"{prefix}-pages"),
        path("pages/new/", views.create, name=f"{prefix}-page-new"),
        path(f"pages/{page}/", views.edit, name=f"{prefix}-page"),
        path(f"pages/{page}/delete/", views.delete, name=f"{prefix}-page-delete"),
    ]


def invitation_pages(prefix: str, views: Guests) -> list[URLPattern | URLResolver]:
    """Who is invited, and taking that back."""
    return [
        path("invitations/", views.page, name=f"{prefix}-people"),
        path("invitations/<slug:invitation>/withdraw/", views.withdraw, name=f"{prefix}-withdraw"),
    ]


website_pages: list[URLPattern | URLResolver] = [
    path("", provider_website.look, name="website"),
    path("", include(written_pages("website", provider_website.pages, page="<int:page>"))),
]
