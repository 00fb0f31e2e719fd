"""Usage log lines -> rows of a batch.

A line is `{msec} {subscription} {key} {stage} {operation} {status} {bytes_sent} {request_length}
{request_time} {verdict} {flags} {upstream_response_time}`; lines of older versions have no flags. Of the flags
`c` (a canary answered), `h` and `m` (cache hit and miss) are counted; the others say how the call came. The minute
is taken from the line, so a clock that jumps later moves nothing. The integration's time is the sum over all tries
("0.001, 0.010" = 11 ms): all of it was spent waiting for backends.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from operator import add

from gateway.batches import HTTP_UNIT, LATENCY_BOUNDS_MS, STREAM_UNIT, Row

_LINE = (
    rb"(\d{10})\.(\d{3}) (\S+ \S+ \S+ \S+ \d{3}) (\d+) (\d+) (\d+\.\d{3}) "
    rb"(\S+(?: [-a-z]+(?= ))?) ([\d.,:\- ]+)"
)
# Every line of a block at once: one pass of the regular expression engine is what makes this fast.
_LINES = re.compile(rb"^" + _LINE + rb"$", re.MULTILINE)
# A good line at the end of a torn one: a full disk cut the first, the next was written right behind it.
_TAIL = re.compile(_LINE + rb"$")
_NUMBER = re.compile(rb"\d+\.\d+")

_BUCKETS = len(LATENCY_BOUNDS_MS) + 1
_INTEGRATIONS = 5 + _BUCKETS  # where the counts of backends' times begin
_HTTP = _INTEGRATIONS + _BUCKETS  # units of large calls beyond the first, and of large answers
_STREAM = _HTTP + 1
# which bytes of a call its 512 KiB units are counted of (bytes out, bytes in)
PAYLOADS: dict[str, Callable[[int, int], int]] = {
    "both": lambda out, into: out + into,
    "request": lambda _, into: into,
    "response": lambda out, _: out,
}
_CACHE_LIMIT = 50_000

_Fields = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes]


class Times(dict[bytes, tuple[int, int]]):
    """Text of a duration in seconds -> (milliseconds, latency bucket); the same texts come often."""

    def __missing__(self, text: bytes) -> tuple[int, int]:
        if len(self) >= _CACHE_LIMIT:
            self.clear()
        milliseconds = sum(round(float(number) * 1_000) for number in _NUMBER.findall(text))
        value = milliseconds, bisect_left(LATENCY_BOUNDS_MS, milliseconds)
        self[text] = value
        return value


_times = Times()


class Aggregate:
    """Adds usage lines up. One object makes one batch. `payload` is a name of PAYLOADS."""

    def __init__(self, payload: str = "both") -> None:
        self._payload = PAYLOADS[payload]
        # by minute, the five fields from subscription to status in one piece, and verdict with flags:
        # calls, bytes out, bytes in, latency, integration, then the counts of latencies, then of integrations,
        # then units beyond each call's first
        self._groups: dict[tuple[int, bytes, bytes], list[int]] = {}
        self.lines = 0
        self.garbage = 0  # lines, or parts of lines, that are no usage line
        self.newest = 0.0  # Unix seconds of the last line

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, block: bytes) -> None:
        """Add complete lines, each with its newline at the end."""
        count = block.count(b"\n")
        found = _LINES.findall(block)
        if len(found) != count:
            found = self._salvage(block)
        self.lines += len(found)
        self._add(found)
        if found:
            self.newest = float(found[-1][0]) + int(found[-1][1]) / 1_000

    def _salvage(self, block: bytes) -> list[_Fields]:
        found: list[_Fields] = []
        for line in block.split(b"\n")[:-1]:
            match = _LINES.fullmatch(line)
            if match is None:
                self.garbage += 1
                match = _TAIL.search(line)
            if match is not None:
                found.append(match.groups())  # type: ignore[arg-type]
        return found

    def _add(self, found: list[_Fields]) -> None:
        groups, times = self._groups, _times
        last_second, minute = b"", 0
        for second, _, dimensions, bytes_out, bytes_in, latency, verdict, integration in found:
            if second != last_second:
                last_second, minute = second, int(second) // 60 * 60
            name = (minute, dimensions, verdict)
            group = groups.get(name)
            if group is None:
                group = groups[name] = [0] * (_STREAM + 1)
            milliseconds, bucket = times[latency]
            group[0] += 1
            out, into = int(bytes_out), int(bytes_in)
            group[1] += out
            group[2] += into
            if out + into > HTTP_UNIT:
                group[_HTTP] += max(self._payload(out, into) - 1, 0) // HTTP_UNIT
                group[_STREAM] += max(out - 1, 0) // STREAM_UNIT
            group[3] += milliseconds
            if integration != b"-":
                took, place = times[integration]
                group[4] += took
                group[_INTEGRATIONS + place] += 1
            group[5 + bucket] += 1

    def result(self) -> tuple[list[Row], int]:
        """Return the rows, and how many calls reached no stage (they are counted, not billed)."""
        rows: dict[tuple[int, str, str, str, str, int, str, bool], Row] = {}
        refused_unknown = 0
        for (minute, dimensions, ending), sums in self._groups.items():
            subscription, key, stage, operation, status = _texts(dimensions)
            if not stage:
                refused_unknown += sums[0]
                continue
            verdict, _, flags = ending.partition(b" ")
            where = (minute, subscription, key, stage, operation)
            name = (*where, _class_of(status), _text(verdict), b"c" in flags)
            row = rows.get(name)
            if row is None:
                row = rows[name] = Row(*name[:7], 0, 0, 0, 0, 0, [0] * _BUCKETS, canary=name[7])
            _merge(row, sums)
            row.cache_hits += sums[0] if b"h" in flags else 0
            row.cache_misses += sums[0] if b"m" in flags else 0
        return list(rows.values()), refused_unknown

    def integrations(self) -> dict[str, list[int]]:
        """Return how many calls waited how long for backends: counts in each latency bucket, by stage."""
        found: dict[bytes, list[list[int]]] = {}
        for (_, dimensions, _), sums in self._groups.items():
            found.setdefault(dimensions.split(b" ")[2], []).append(sums[_INTEGRATIONS:_HTTP])
        found.pop(b"-", None)
        return {
            _text(stage): [sum(bucket) for bucket in zip(*counts, strict=True)]
            for stage, counts in found.items()
        }


def _merge(row: Row, sums: list[int]) -> None:
    row.calls += sums[0]
    row.bytes_out += sums[1]
    row.bytes_in += sums[2]
    row.latency_ms += sums[3]
    row.integration_ms += sums[4]
    row.http_requests += sums[0] + sums[_HTTP]
    row.stream_requests += sums[0] + sums[_STREAM]
    row.latency_counts = list(map(add, row.latency_counts, sums[5:_INTEGRATIONS]))


def _class_of(status: str) -> int:
    """Return 1 to 5. 000 = the client left before an answer (as 499); 6xx to 9xx are a backend error."""
    return min(int(status) // 100, 5) or 4


def _texts(fields: bytes) -> list[str]:
    texts = fields.decode("ascii", "replace").split(" ")
    return ["" if text == "-" else text for text in texts] if "-" in texts else texts


def _text(field: bytes) -> str:
    return "" if field == b"-" else field.decode("ascii", "replace")
