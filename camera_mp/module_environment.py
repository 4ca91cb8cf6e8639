"""What `python -m camera_mp.…` needs to find this very package, wherever it is called from."""

import os
from pathlib import Path
import sys


def module_environment() -> dict[str, str]:
    """
    Give the environment for a child that runs a module of this package.

    Without it Python looks for modules in the working directory first (it still does before
    3.11), where another camera_mp, or a file called select.py, may lie.
    """
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, 'PYTHONSAFEPATH': '1'}
    environment.setdefault('OPENBLAS_NUM_THREADS', '1')  # or numpy starts a thread a core
    if root not in sys.path[1:]:
        paths = [root, *filter(None, [os.environ.get('PYTHONPATH')])]
        environment['PYTHONPATH'] = os.pathsep.join(paths)
    return environment
