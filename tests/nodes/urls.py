"""The node's door alone, where the portal has it."""

from django.urls import include, path

urlpatterns = [path("nodes/v1/", include("nodes.urls"))]
