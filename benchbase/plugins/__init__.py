"""Finding and loading plugins: each one alone, behind its own ``try``. Free of torch at import.

What is installed is found by entry-point metadata; a module is imported only when its thing is
asked for.
"""

from benchbase.plugins.description import PluginDescription as PluginDescription
from benchbase.plugins.description import WeighterDescription as WeighterDescription
from benchbase.plugins.description import describe as describe
from benchbase.plugins.discovery import KINDS as KINDS
from benchbase.plugins.discovery import Found as Found
from benchbase.plugins.discovery import find_installed as find_installed
from benchbase.plugins.discovery import module_source_hash as module_source_hash
from benchbase.plugins.loading import Failure as Failure
from benchbase.plugins.loading import load as load
from benchbase.plugins.loading import load_all as load_all
from benchbase.plugins.sources import PluginSource as PluginSource
from benchbase.plugins.sources import load_weighters as load_weighters
from benchbase.plugins.sources import resolve_source as resolve_source
