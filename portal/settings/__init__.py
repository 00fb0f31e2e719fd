"""Django's settings, by topic. What an operator may set is named in docs/settings.md."""

from portal.settings.base import *
from portal.settings.accounts import *
from portal.settings.signin import *
from portal.settings.publishing import *
from portal.settings.rest import *
from portal.settings.tasks import *
from portal.settings.metering import *
from portal.settings.admin import *
from portal.settings.payments import *
