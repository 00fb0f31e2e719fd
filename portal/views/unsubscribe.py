"""No more news of a provider: by the link in its mails, without signing in."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from access.announcements.letter import read_unsubscribe
from access.announcements.news import opt_in, opt_out


# mail programs press the button for their readers (RFC 8058): the signed address is what proves it
@csrf_exempt
def page(request: HttpRequest, signed: str) -> HttpResponse:
    """GET asks; POST unsubscribes, or with `again` subscribes."""
    read = read_unsubscribe(signed)
    if read is None:
        raise Http404("not a link of ours")
    person, provider = read
    done = ""
    if request.method == "POST":
        done = "in" if request.POST.get("again") else "out"
        (opt_in if done == "in" else opt_out)(person=person, provider=provider)
    return render(request, "unsubscribe.html", {"person": person, "from_provider": provider, "done": done})
