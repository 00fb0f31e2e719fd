"""The node's door, all under /nodes/v1/."""

from django.urls import path

from nodes import views

urlpatterns = [
    path("entries", views.changes, name="node-entries"),
    path("digest", views.digest, name="node-digest"),
    path("leases", views.lease, name="node-leases"),
    path("leases/return", views.give_back, name="node-leases-return"),
    path("shares", views.share, name="node-shares"),
    path("usage", views.usage, name="node-usage"),
    path("requests", views.requests, name="node-requests"),
    path("status", views.status, name="node-status"),
]
