"""The site's addresses with those of all known providers, which allauth has for what is switched on at start."""

from allauth.socialaccount.providers.github.urls import urlpatterns as github
from allauth.socialaccount.providers.gitlab.urls import urlpatterns as gitlab
from allauth.socialaccount.providers.google.urls import urlpatterns as google
from allauth.socialaccount.providers.microsoft.urls import urlpatterns as microsoft
from django.urls import include, path

from portal.urls import handler403, handler404, handler500, urlpatterns as site

__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("accounts/", include([*github, *gitlab, *google, *microsoft])), *site]
