"""`python -m benchmarks`: all comparisons, one after the other."""

from benchmarks import gate, usage_lines

gate.main()
usage_lines.main()
