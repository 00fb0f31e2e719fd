import threading
import time
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from gateway.entries import Mapping
from nodes import entries
from nodes.change import Change
from nodes.models import Entry
from nodes.rebuild import rebuild
from tests.factories import make_key, make_mapping, make_organization, make_plan, make_subscription

pytestmark = pytest.mark.django_db


def put(key: str, stage: str | None) -> int:
    data = None if stage is None else Mapping(stage)
    return entries.write_many(changes=[Change("mapping", key, None, data)])


def test_each_write_gets_the_next_generation() -> None:
    organization = make_organization()
    assert entries.write(kind="mapping", key="*|a", organization=organization, data=Mapping("s1"))
    assert entries.write(kind="mapping", key="*|b", organization=None, data=Mapping("s2"))
    first, second = Entry.objects.order_by("generation")
    assert (first.key, first.data, first.organization) == ("*|a", {"stage": "s1"}, organization)
    assert (second.key, second.data) == ("*|b", {"stage": "s2"})
    assert entries.newest_generation() == second.generation > first.generation


def test_what_did_not_change_is_not_written() -> None:
    assert put("*|a", "s1") == 1
    before = entries.newest_generation()
    assert put("*|a", "s1") == 0
    assert entries.newest_generation() == before


def test_a_changed_entry_moves_to_a_new_generation() -> None:
    put("*|a", "s1")
    before = entries.newest_generation()
    assert put("*|a", "s2") == 1
    assert Entry.objects.get().generation > before


def test_what_is_gone_stays_as_a_tombstone() -> None:
    put("*|a", "s1")
    assert put("*|a", None) == 1
    assert Entry.objects.get().data is None
    assert put("*|never", None) == 0


def test_many_are_written_in_the_order_in_which_nodes_need_them() -> None:
    entries.write_many(
        changes=[Change(kind, "x", None, {"n": 1}) for kind in ("key", "mapping", "stage", "plan")]
    )
    assert [entry.kind for entry in Entry.objects.order_by("generation")] == [
        "stage",
        "mapping",
        "plan",
        "key",
    ]
    entries.write_many(changes=[Change(kind, "x", None, None) for kind in ("stage", "mapping", "key")])
    gone = Entry.objects.filter(data__isnull=True).order_by("generation")
    assert [entry.kind for entry in gone] == ["key", "mapping", "stage"]


def test_a_problem_is_kept_beside_the_state_before() -> None:
    put("*|a", "s1")
    before = entries.newest_generation()
    assert entries.write_many(changes=[Change("mapping", "*|a", None, None, problem="does not fit")]) == 0
    entry = Entry.objects.get()
    assert (entry.data, entry.problem, entry.generation) == ({"stage": "s1"}, "does not fit", before)
    put("*|a", "s1")
    assert Entry.objects.get().problem == ""


@pytest.mark.parametrize("count", [1, 3])
def test_many_cost_as_many_queries_as_one(count: int, django_assert_num_queries: Any) -> None:
    changes = [Change("mapping", f"*|{n}", None, Mapping("s")) for n in range(count)]
    # lock, held, generations, upsert, newest, notify
    with django_assert_num_queries(6):
        entries.write_many(changes=changes)


def test_a_snapshot_leaves_out_what_is_gone_and_changes_do_not() -> None:
    put("*|a", "s1")
    put("*|b", "s1")
    middle = entries.newest_generation()
    put("*|a", None)
    newest = entries.newest_generation()
    everything = entries.snapshot(after=0)
    assert [entry.key for entry in everything.entries] == ["*|b"]
    assert (everything.generation, everything.more, everything.full) == (newest, False, True)
    since = entries.snapshot(after=middle)
    assert [(entry.key, entry.data) for entry in since.entries] == [("*|a", None)]
    assert (since.generation, since.more, since.full) == (newest, False, False)
    assert entries.snapshot(after=newest).entries == []


def test_pages_follow_each_other_without_gap() -> None:
    for number in range(7):
        put(f"*|{number}", "s")
    seen, after, more = [], 0, True
    while more:
        page = entries.snapshot(after=after, limit=3)
        seen += [entry.key for entry in page.entries]
        after, more = page.generation, page.more
    assert seen == [f"*|{number}" for number in range(7)]
    assert after == entries.newest_generation()


def test_a_node_from_the_future_gets_everything_anew() -> None:
    put("*|a", "s1")
    found = entries.snapshot(after=entries.newest_generation() + 100)
    assert (len(found.entries), found.full) == (1, True)
    assert found.generation == entries.newest_generation()


def test_an_empty_house_has_generation_0() -> None:
    assert entries.snapshot(after=0) == entries.Changes(generation=0, entries=[], more=False, full=True)


def make_world() -> None:
    mapping = make_mapping()
    subscription = make_subscription(plan=make_plan(mapping.stage))
    make_key(subscription.application)


def test_rebuilding_writes_what_differs_and_only_that() -> None:
    make_world()
    # stage, its canonical address and its mapping, its API by id and by slug, plan, subscription, key
    assert rebuild() == 8
    assert rebuild() == 0
    Entry.objects.filter(kind="plan").update(data={"wrong": True})
    Entry.objects.filter(kind="key").delete()
    put("*|stray", "nobody")
    assert rebuild() == 3
    assert Entry.objects.get(key="*|stray").data is None
    assert rebuild() == 0


def test_the_command_rebuilds(capsys: pytest.CaptureFixture[str]) -> None:
    make_world()
    call_command("rebuild_entries")
    assert "8 entries written." in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_generations_commit_in_order_however_long_a_writer_takes() -> None:
    """A reader that polls all the time never sees a newer generation before an older one."""
    slow_wrote = threading.Event()
    seen: list[list[int]] = []

    def slow() -> None:
        with transaction.atomic():
            put("*|slow", "s")
            slow_wrote.set()
            time.sleep(0.3)
        connection.close()

    def fast() -> None:
        slow_wrote.wait()
        with transaction.atomic():
            put("*|fast", "s")
        connection.close()

    threads = [threading.Thread(target=slow), threading.Thread(target=fast)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.append(list(Entry.objects.order_by("generation").values_list("key", flat=True)))
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    seen.append(list(Entry.objects.order_by("generation").values_list("key", flat=True)))
    assert ["*|fast"] not in seen
    assert seen[-1] == ["*|slow", "*|fast"]
