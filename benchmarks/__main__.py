"""`python -m benchmarks`: all comparisons, one after the other."""

from benchmarks import gate, latency, propagation, usage_lines
from benchmarks.peers import compare

gate.main()
compare.main()
latency.main()
propagation.main()
usage_lines.main()
