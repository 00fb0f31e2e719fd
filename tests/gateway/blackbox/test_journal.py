"""The usage log holds each admitted call once, whatever is killed and when, and calls wait when it has no room."""

import asyncio
import os
import random
import signal
import struct
import threading
import time
from collections import Counter
from types import SimpleNamespace

import aiohttp
import pytest

from gateway.agent.usage_log import Position, UsageLog
from gateway.entries import Quota, Throttle
from gateway.journal import Journal
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.node import node_folder, start_nginx, usage_lines, wait_until
from tests.gateway.world import World, operation

PLENTY = 1_000_000
COMMITTED, IN_FLIGHT = 72, 88  # where these lie in the state


@pytest.fixture
def place():
    """A node of its own; `start()` starts its nginx (again) with a key that has a quota."""
    with node_folder() as folder:
        backend = Backend("counted")
        made = SimpleNamespace(folder=folder, backend=backend, port=free_port(), node=None, agent=None)

        def start(**settings):
            made.node = start_nginx(folder, made.port, **settings)
            made.agent = made.agent or FakeAgent(folder / "agent.sock", slice_size=PLENTY)
            made.agent.allow("sub", PLENTY)
            world = World(made.node)
            world.backend("backend", "127.0.0.1", backend.port)
            operations = {
                "op": operation("POST", "/x", key_required=True),
                "free": operation("POST", "/free"),
            }
            world.publish("stage", operations, throttle=Throttle(PLENTY, PLENTY))
            quota = Quota(limit=PLENTY, period="MONTH")
            made.key = world.subscribe("sub", ["stage"], throttle=Throttle(PLENTY, PLENTY), quota=quota)

        made.start = start
        yield made
        made.node.stop()
        backend.stop()
        if made.agent:
            made.agent.stop()


def lines(place):
    """Lines of admitted calls, by flags."""
    fields = [line.split(" ", 11) for line in usage_lines(place.folder)]
    assert all(len(one) == 12 for one in fields)
    return [one for one in fields if one[9] == "-" or one[9].startswith("INTEGRATION")]


def units_left(place):
    return sum(one["units"] for one in place.node.control("POST", "/leases/take").json["leases"])


def spent(place):
    """Units of the quota that the gate took."""
    given = PLENTY - place.agent.pools["sub"]
    return given - units_left(place)


async def clients(place, number, until, path="/stage/x"):
    """`number` clients call until `until()`; returns what they saw (0 = no answer). POST: aiohttp repeats a GET."""
    seen = Counter()

    async def one():
        async with aiohttp.ClientSession(headers={"x-api-key": place.key}) as session:
            while not until():
                try:
                    async with session.post(f"http://127.0.0.1:{place.port}{path}") as answer:
                        await answer.read()
                        seen[answer.status] += 1
                except (aiohttp.ClientError, OSError):
                    seen[0] += 1
                    await asyncio.sleep(0.005)

    await asyncio.gather(*(one() for _ in range(number)))
    return seen


def in_background(action):
    thread = threading.Thread(target=action)
    thread.start()
    return thread


def test_workers_killed_at_random_moments_lose_and_double_nothing(place):
    place.start()
    chance, done = random.Random(7), threading.Event()

    def kill():
        for _ in range(25):
            time.sleep(chance.uniform(0.02, 0.25))
            for pid in place.node.workers()[:1]:
                os.kill(pid, signal.SIGKILL)
        done.set()

    killer = in_background(kill)
    seen = asyncio.run(clients(place, 50, done.is_set))
    killer.join()
    wait_until(lambda: len(place.node.workers()) == 2, seconds=5, what="a new worker")
    place.node.call("POST", "/stage/x", key=place.key)
    seen[200] += 1
    time.sleep(0.3)
    counted = lines(place)
    orphans = [one for one in counted if one[10] == "k"]
    assert seen[200] > 500
    assert seen[0] > 0
    assert set(seen) <= {0, 200, 502}
    # each answered call has its line; the others are calls whose answer the kill cut off
    assert seen[200] <= len(counted) <= sum(seen.values())
    assert sum(one[5] == "200" for one in counted) >= seen[200] - len(orphans)
    # each call that reached the backend, and each unit of the quota that was spent, is one line
    assert len(place.backend.seen) <= len(counted)
    assert abs(spent(place) - len(counted)) <= 1
    assert {tuple(one[1:5]) for one in counted} == {("sub", "key-sub", "stage", "op")}


def test_workers_killed_right_after_the_answer_lose_and_double_nothing(place):
    place.start(workers="1")
    for number in range(1, 41):
        assert place.node.call("POST", "/stage/x", key=place.key).status == 200
        os.kill(place.node.workers()[0], signal.SIGKILL)
        wait_until(lambda: _serves(place), seconds=5, what="a new worker")
        wait_until(lambda number=number: len(lines(place)) >= number, seconds=5, what="the line")
    counted = lines(place)
    assert len(counted) == 40
    assert {(one[5], one[10]) for one in counted} <= {("200", "-"), ("500", "k")}


def _serves(place):
    try:
        return bool(place.node.workers()) and place.node.call("GET", "/nowhere").status == 403
    except OSError:
        return False


def test_calls_that_wait_for_their_backend_when_the_worker_is_killed_are_counted_once(place):
    place.start(workers="1")
    started = time.time()

    async def all_cut():
        async with aiohttp.ClientSession(headers={"x-api-key": place.key}) as session:

            async def one(path):
                with pytest.raises(aiohttp.ClientError):
                    await session.post(f"http://127.0.0.1:{place.port}{path}?sleep=4")

            calls = [asyncio.create_task(one("/stage/x" if n % 2 else "/stage/free")) for n in range(50)]
            while _in_flight(place) < 50:
                await asyncio.sleep(0.01)
            os.kill(place.node.workers()[0], signal.SIGKILL)
            await asyncio.gather(*calls)

    asyncio.run(all_cut())
    wait_until(lambda: len(lines(place)) >= 50, seconds=5, what="lines of the calls that were cut")
    counted = lines(place)
    assert Counter(" ".join(one[1:6]) + one[10] for one in counted) == {
        "sub key-sub stage op 500k": 25,
        "- - stage free 500k": 25,
    }
    assert all(started - 1 <= float(one[0]) <= time.time() for one in counted)
    assert spent(place) == 25


def _in_flight(place):
    with Journal(place.folder).state.open("rb") as file:
        file.seek(IN_FLIGHT)
        return struct.unpack("d", file.read(8))[0]


def test_nginx_killed_whole_loses_nothing_when_it_starts_again(place):
    place.start()
    done = threading.Event()

    def kill():
        time.sleep(1)
        pids = [place.node.process.pid, *place.node.workers()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        done.set()

    killer = in_background(kill)
    seen = asyncio.run(clients(place, 50, done.is_set))
    killer.join()
    place.node.process.wait()
    before = len(lines(place))
    assert before >= seen[200] - 2
    place.start()
    wait_until(lambda: _in_flight(place) == 0, seconds=5, what="the end of what was in flight")
    counted = lines(place)
    assert seen[200] <= len(counted) <= sum(seen.values())
    assert len(place.backend.seen) <= len(counted)
    assert all(one[10] == "k" for one in counted[before:])
    place.node.stop()
    place.start()
    assert len(lines(place)) == len(counted), "they are not counted again"


def test_a_reload_under_load_counts_exactly(place):
    place.start()
    done = threading.Event()

    def reload():
        for _ in range(5):
            time.sleep(0.4)
            place.node.process.send_signal(signal.SIGHUP)
        time.sleep(0.4)
        done.set()

    thread = in_background(reload)
    seen = asyncio.run(clients(place, 50, done.is_set, path="/stage/x?sleep=0.05"))
    thread.join()
    wait_until(lambda: _in_flight(place) == 0, seconds=5, what="the end of all calls")
    counted = lines(place)
    assert {one[10] for one in counted} == {"-"}
    assert len(place.backend.seen) == len(counted) == spent(place)
    assert seen[200] <= len(counted) <= sum(seen.values())


def fill(place):
    """Fill the journal with lines of calls to nowhere, which reach no backend."""
    journal, previous = Journal(place.folder), [-1]

    def is_full():
        before, previous[0] = previous[0], journal.head().committed
        return before == previous[0]

    def wait():
        while not is_full():
            time.sleep(0.3)
        done.set()

    done = threading.Event()
    thread = in_background(wait)
    asyncio.run(clients(place, 20, done.is_set, path="/nowhere"))
    thread.join()
    while (answer := place.node.call("POST", "/stage/x", key=place.key)).status == 200:
        pass
    return answer


def test_a_full_journal_refuses_calls_until_there_is_room_and_loses_none(place):
    place.start(journal_size=2**20)
    log, counted, position = UsageLog(place.folder), 0, None
    for _ in range(2):
        asyncio.run(clients(place, 20, lambda: len(place.backend.seen) % 300 > 250))
        refused = fill(place)
        assert (refused.status, refused.json) == (503, {"message": "Service Unavailable"})
        assert refused.headers["retry-after"] == "1"
        before = len(place.backend.seen)
        assert place.node.call("POST", "/stage/x", key=place.key).status == 503
        assert len(place.backend.seen) == before, "a refused call reaches no backend"
        found, position = _count(log, position)
        counted += found
        log.delete_read(position)
        wait_until(
            lambda: place.node.call("POST", "/stage/x", key=place.key).status == 200,
            seconds=5,
            what="room after the agent has counted",
        )
    wait_until(lambda: _in_flight(place) == 0, seconds=3, what="the end of all calls")
    counted += _count(log, position)[0]
    assert counted == len(place.backend.seen) > 250
    assert spent(place) == counted


def _count(log, position):
    """As the agent does: returns lines of calls that the backend saw, and the new position."""
    reader, found = log.reader(position), 0
    while block := reader.read():
        found += sum(line.split(b" ")[5] == b"200" for line in block.splitlines())
    assert isinstance(reader.position, Position)
    return found, reader.position


def test_a_disk_without_room_for_one_more_file_refuses_calls(place):
    """A folder that workers cannot write stands for the full disk."""
    place.start(journal_size=2**20)
    journal = Journal(place.folder)
    head = journal.head()
    assert head
    assert head.segment == 2**18
    assert journal.numbers() == [0, 1]
    os.chmod(journal.folder, 0o500)
    assert fill(place).status == 503
    assert journal.numbers() == [0, 1]
    assert 2 * head.segment - journal.head().committed < 4 * 1024, "all room was used"
    os.chmod(journal.folder, 0o700)
    wait_until(
        lambda: place.node.call("POST", "/stage/free").status == 200,
        seconds=5,
        what="room after the disk has some",
    )
    time.sleep(0.2)
    assert len(lines(place)) == len(place.backend.seen)


def test_a_whole_line_that_a_killed_worker_did_not_commit_is_not_read_at_the_end_of_a_file(place):
    """The next line is too long for the rest of the file, so it does not take that one's place."""
    place.start(journal_size=2**20)
    place.node.stop()
    journal = Journal(place.folder)
    size = journal.head().segment
    known = b"1763889123.456 - - - - 403 1 1 0.000 X - -\n"
    before, rest = divmod(size - 60, len(known))
    torn = b"1763889123.456 sub k s op 200 9 9 0.000 - - -\n"
    with journal.path(0).open("r+b") as file:
        file.write(b"x" * (rest - 1) + b"\n" + known * before + b"?" * (60 - len(torn)) + torn)
    with journal.state.open("r+b") as file:
        file.seek(COMMITTED)
        file.write(struct.pack("d", size - 60))
    place.start(journal_size=2**20)
    for _ in range(3):
        assert place.node.call("POST", "/stage/x", key=place.key).status == 200
    found = usage_lines(place.folder)
    assert journal.head().committed > size
    assert len(found) == 1 + before + 3
    assert torn.decode().strip() not in found


def test_a_file_that_somebody_cut_short_gets_its_room_back(place):
    """Its workers die as they write where there is no file any more; the next ones go on, and no call is lost."""
    place.start()
    assert place.node.call("POST", "/stage/x", key=place.key).status == 200
    journal = Journal(place.folder)
    size, committed = journal.head().segment, journal.head().committed
    os.truncate(journal.path(0), committed)
    seen = asyncio.run(clients(place, 8, lambda: len(place.backend.seen) > 300))
    assert seen[200] > 250
    assert journal.path(0).stat().st_size == size
    wait_until(lambda: _in_flight(place) == 0, seconds=5, what="the end of all calls")
    assert 1 + seen[200] <= len(place.backend.seen) <= len(lines(place)) <= 1 + sum(seen.values())


def test_lines_behind_the_end_of_a_file_that_somebody_cut_short_are_kept(place):
    """The kernel wipes what lies there when it writes the page: workers write those lines anew."""
    place.start()
    assert place.node.call("POST", "/stage/x", key=place.key).status == 200
    journal = Journal(place.folder)
    committed = journal.head().committed
    os.truncate(journal.path(0), committed)
    for _ in range(5):
        assert place.node.call("POST", "/stage/x", key=place.key).status == 200
    with journal.path(0).open("r+b") as file:
        os.fsync(file.fileno())
        file.truncate(committed + 1)  # on every file system: what is behind is zeros now
        file.truncate(committed)
    seen = asyncio.run(clients(place, 8, lambda: len(place.backend.seen) > 300))
    wait_until(lambda: _in_flight(place) == 0, seconds=5, what="the end of all calls")
    assert 6 + seen[200] <= len(place.backend.seen) <= len(lines(place)) <= 6 + sum(seen.values())


def test_an_older_state_is_made_longer(place):
    """Of a node before this: its state ends with the slots."""
    journal = Journal(place.folder)
    journal.prepare(2**24)
    os.truncate(journal.state, journal.state.stat().st_size - 8_192)
    place.start()
    assert place.node.call("POST", "/stage/x", key=place.key).status == 200
    assert len(lines(place)) == 1


def test_the_journals_files_are_really_allocated(place):
    place.start()
    journal = Journal(place.folder)
    for path in [journal.state, *(journal.path(number) for number in journal.numbers())]:
        found = path.stat()
        assert found.st_blocks * 512 >= found.st_size, path


def test_a_long_call_keeps_its_slot_while_others_come_and_go(place):
    place.start()
    before = len(lines(place))
    threads = [
        in_background(lambda: place.node.call("POST", "/stage/x?sleep=1.5", key=place.key)) for _ in range(3)
    ]
    wait_until(lambda: _in_flight(place) == 3, seconds=3, what="calls in flight")
    for _ in range(60):
        place.node.call("POST", "/stage/free")
    for thread in threads:
        thread.join()
    wait_until(lambda: _in_flight(place) == 0, seconds=3, what="the end of all calls")
    assert len(lines(place)) == before + 63
