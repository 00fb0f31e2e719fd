"""The admin console's theme (django-unfold). What it shows is registered in each room's `admin.py`."""

from django.http import HttpRequest
from django.templatetags.static import static


def _logo(request: HttpRequest) -> str:
    return static("img/logo.svg")


def _styles(request: HttpRequest) -> str:
    return static("admin-brand/dashboard.css")


def _landmarks(request: HttpRequest) -> str:
    return static("admin-brand/landmarks.js")


# The portal's accent (static/css/tokens.css) in the scale that the theme wants.
_BLUE = {
    "50": "#eef3fe",
    "100": "#e0e9fd",
    "200": "#c4d4fb",
    "300": "#9cb6f7",
    "400": "#6f91ee",
    "500": "#4a72e0",
    "600": "#2a55c9",
    "700": "#1f43a6",
    "800": "#1d3a87",
    "900": "#1c336c",
    "950": "#131f43",
}

UNFOLD = {
    "SITE_TITLE": "Gatehouse",
    "SITE_HEADER": "Gatehouse",
    "SITE_SUBHEADER": "Admin console",
    "SITE_ICON": _logo,
    "SITE_SYMBOL": "door_front",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _logo}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {"primary": _BLUE},
    "STYLES": [_styles],
    "SCRIPTS": [_landmarks],
    "DASHBOARD_CALLBACK": "portal.admin_dashboard.dashboard",
    "COMMAND": {"search_models": True, "show_history": False},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "portal.admin_dashboard.navigation",
    },
}
