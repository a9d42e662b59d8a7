"""Kernels of masses, tabulated: built by the exact rule, judged by it, and looked up in tens of microseconds."""
