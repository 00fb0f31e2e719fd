"""Mail without a mail server: the log and the files of the outbox page."""

import logging

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail

from portal import outbox


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EMAIL_BACKEND = "portal.outbox.OutboxBackend"
    settings.OUTBOX_DIR = tmp_path / "outbox"
    return settings.OUTBOX_DIR


def test_an_empty_outbox_is_empty():
    assert outbox.messages() == []


def test_a_message_is_logged_and_kept(caplog):
    caplog.set_level(logging.INFO)
    assert send_mail("Confirm", "Open http://x/y", "Gatehouse <g@example.com>", ["a@example.com"]) == 1
    assert "Open http://x/y" in caplog.text
    [message] = outbox.messages()
    assert (message.sender, message.to, message.subject, message.text, message.html) == (
        "Gatehouse <g@example.com>",
        ["a@example.com"],
        "Confirm",
        "Open http://x/y",
        "",
    )
    assert message.id


def test_html_is_kept_beside_the_text():
    email = EmailMultiAlternatives("Hi", "text", to=["a@example.com"])
    email.attach_alternative("<p>text</p>", "text/html")
    email.send()
    assert outbox.messages()[0].html == "<p>text</p>"


def test_the_newest_comes_first_and_the_list_is_limited():
    for number in range(4):
        send_mail(f"Message {number}", "", None, ["a@example.com"])
    assert [message.subject for message in outbox.messages(limit=3)] == [
        "Message 3",
        "Message 2",
        "Message 1",
    ]


def test_old_messages_are_removed(monkeypatch, folder):
    monkeypatch.setattr(outbox, "KEEP", 2)
    for number in range(4):
        send_mail(f"Message {number}", "", None, ["a@example.com"])
    assert len(list(folder.iterdir())) == 2


def test_only_their_owner_may_read_the_files(folder):
    send_mail("Confirm", "secret link", None, ["a@example.com"])
    [file] = folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_read_is_left_out(folder, caplog):
    send_mail("Confirm", "", None, ["a@example.com"])
    (folder / "9999999999999999999-zz.json").write_text("{half")
    assert [message.subject for message in outbox.messages()] == ["Confirm"]
    assert "cannot be read" in caplog.text
