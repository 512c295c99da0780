"""Task files are tested with the data sets of the tests of data."""

from tests.unit.data.conftest import cache, open_stamps, stamps

__all__ = ["cache", "open_stamps", "stamps"]
