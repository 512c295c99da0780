"""Finding and loading plugins: each one alone, behind its own ``try``. Free of torch at import.

What is installed is found by metadata; what it brings, a child tells (``catalogue``). A module is
imported in the parent only when a data set, noise, metric or executor of it is used.

Imports `data`, `backbones`, the values of `boards` and, for children, `running`.
"""

from benchbase.plugins.catalogue import Catalogue as Catalogue
from benchbase.plugins.catalogue import Entry as Entry
from benchbase.plugins.kinds import KINDS as KINDS
from benchbase.plugins.source import Source as Source
