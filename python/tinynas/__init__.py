"""tinynas finds, trains and ships neural networks for microcontrollers.

Importing it needs no torch; what needs the supernet says so when it is used.
"""

from tinynas.errors import CheckError, InfeasibleError, InputError, TinynasError

__all__ = ["CheckError", "InfeasibleError", "InputError", "TinynasError", "__version__"]
__version__ = "0.1.0"
