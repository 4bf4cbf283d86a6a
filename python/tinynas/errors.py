"""The errors that reach a user, each with the exit code of the command line."""

from __future__ import annotations


class TinynasError(Exception):
    """Base of all errors that are reported in one line, without a traceback."""

    exit_code = 1


class CheckError(TinynasError):
    """A check failed, or an external tool is missing (the message says how to get it)."""

    exit_code = 1


class InputError(TinynasError, ValueError):
    """What the user gave cannot be used: the message names the place, what was expected and what came."""

    exit_code = 2


class InfeasibleError(TinynasError):
    """Nothing in the space fits the budget: the message gives the smallest footprint that would."""

    exit_code = 3
