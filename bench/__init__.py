"""Measurements: `python -m bench NAME`. Each prints a table on stderr and one JSON document on stdout.

A measurement is a module with `SUMMARY`, `ROUNDS` (the default), `HEADINGS` (short ones for the table) and
`run(options)`: rows of the same columns, `note` and `failed` among them where one may fail. What is compared
is measured in turns, in the same rounds, and told as ratios: a busy machine slows all of it.
"""
