"""The admin console's theme (django-unfold). What it shows is registered in each room's `admin.py`."""

UNFOLD = {
    "SITE_TITLE": "Gatehouse",
    "SITE_HEADER": "Gatehouse",
    "SITE_SYMBOL": "door_front",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
