"""`python -m benchmarks`: all comparisons, one after the other."""

from benchmarks import gate

gate.main()
