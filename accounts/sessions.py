"""Where somebody is signed in (allauth.usersessions), and signing out there."""

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.audit import record
from accounts.models import User

# "last seen" is written at most this often for each session
SEEN_EVERY = timedelta(minutes=5)
# in the session: when that was, Unix seconds
SEEN = "seen_at"


def note_session(request: HttpRequest) -> None:
    """Note when, from where and with what the session was used; once in SEEN_EVERY."""
    moment = now()
    if request.session.get(SEEN, 0) > (moment - SEEN_EVERY).timestamp():
        return
    request.session[SEEN] = moment.timestamp()
    UserSession.objects.create_from_request(request)


def sessions_of(user: User) -> QuerySet[Any]:
    """Her living sessions, the last used first. One query."""
    living = Session.objects.filter(expire_date__gt=now()).values("session_key")
    return UserSession.objects.filter(user=user, session_key__in=living).order_by("-last_seen_at")


@transaction.atomic
def end_session(*, session: Any, actor: User) -> None:
    """Sign out one of her sessions, from its next request on."""
    session.end()
    _record(actor, f"Signed out a session from {session.ip}.")


@transaction.atomic
def sign_out_others(*, request: HttpRequest, user: User) -> int:
    """Sign out all but this session; returns how many."""
    count = end_other_sessions(request=request, user=user)
    _record(user, f"Signed out {count} other session{'' if count == 1 else 's'}.")
    return count


def end_other_sessions(*, request: HttpRequest, user: User) -> int:
    """The same without a line in the trail, for who writes one herself."""
    others = UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key or "")
    keys = list(others.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    others.delete()
    return len(keys)


def _record(user: User, summary: str) -> None:
    record(organization=None, actor=user, action="person.signed_out", target=user, summary=summary)
