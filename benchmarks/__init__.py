"""The figures Lipei answers for, each beside a limit or a peer that was taken in the same run. See docs/benchmarks.md."""
