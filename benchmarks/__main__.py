"""`python -m benchmarks`: all comparisons, one after the other."""

from benchmarks import gate, latency, propagation, scale, shares, usage_lines, verify
from benchmarks.peers import compare

gate.main()
scale.main()
compare.main()
latency.main()
propagation.main()
shares.main()
usage_lines.main()
verify.main()
