"""The node's door, all under /nodes/v1/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
