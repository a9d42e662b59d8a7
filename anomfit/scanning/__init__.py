"""Scans: many points of a card to a table on disk, in chunks that any machine can make again bit for bit."""

from anomfit.scanning.plan import Part
from anomfit.scanning.scan import Scan, ScanSettings, run_scan

__all__ = ["Part", "Scan", "ScanSettings", "run_scan"]
