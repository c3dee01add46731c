"""Measurements: `python -m bench NAME`. Each prints a table on stderr and one JSON document on stdout.

A measurement is a module with `SUMMARY`, one sentence, and `run(rounds)`: rows of the same columns. What is
compared is measured in turns, in the same rounds, and told as ratios: a busy machine slows all of it.
"""
