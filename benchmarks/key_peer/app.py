"""The peer: Django REST Framework with djangorestframework-api-key.

With the settings that `django-admin startproject` writes, and what the documentation of the two adds. PEER_KEEPS=1
keeps connections to the database, which Django by itself makes anew for each request.

`python app.py prepare KEYS` makes the tables and that many keys, and prints one key. Served by granian as
`app:application`. The database is named by the environment variable PEER_DATABASE, as `port user password`.
"""

import os
import sys

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

port, user, password = os.environ["PEER_DATABASE"].split()
KEEPS = os.environ.get("PEER_KEEPS") == "1"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
settings.configure(
    SECRET_KEY=password,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=MIDDLEWARE,
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "rest_framework",
        "rest_framework_api_key",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="static/",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "PORT": port,
            "USER": user,
            "PASSWORD": password,
            "NAME": "postgres",
            "CONN_MAX_AGE": None if KEEPS else 0,
        }
    },
    REST_FRAMEWORK={"DEFAULT_PERMISSION_CLASSES": ["rest_framework_api_key.permissions.HasAPIKey"]},
)
django.setup()

from django.core.management import call_command  # noqa: E402 -- after setup
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402


class Verify(APIView):
    """Answers who got here: the permission has judged the key."""

    def get(self, request):
        """Say yes."""
        return Response({"valid": True})


urlpatterns = [path("verify", Verify.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    keys = [APIKey.objects.create_key(name=f"key {number}")[1] for number in range(int(sys.argv[2]))]
    sys.stdout.write(keys[len(keys) // 2] + "\n")
