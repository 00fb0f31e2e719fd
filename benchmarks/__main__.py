"""`python -m benchmarks`: all comparisons, one after the other."""

from benchmarks import (
    gate,
    latency,
    month_end,
    pages,
    propagation,
    records,
    scale,
    shares,
    usage_lines,
    verify,
)
from benchmarks.peers import compare

gate.main()
scale.main()
compare.main()
latency.main()
propagation.main()
shares.main()
usage_lines.main()
records.main()
month_end.main()
pages.main()
verify.main()
