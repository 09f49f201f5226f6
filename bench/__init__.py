"""Measures of speed and memory, on generated bills of 10 million rows and more.

Takes the library as it is installed, gives ratios to floors measured in the same run, and writes them to
docs/reference/performance.md. Measures from outside, each measurement in a process of its own; never a test, and
never asserts a time.
"""
