"""Measurements: `python -m bench NAME`. Each prints its tables on stderr and one JSON document on stdout.

A measurement is a module with `ROUNDS` (the default) and `run(options)`, which gives a `bench.report.Report`.
What is compared is measured in turns, in the same rounds, and told as ratios: a busy machine slows all of it.
"""
