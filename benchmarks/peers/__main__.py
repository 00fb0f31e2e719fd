"""`python -m benchmarks.peers`."""

from benchmarks.peers.compare import main

main()
