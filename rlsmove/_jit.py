"""The one numba policy: how every kernel is compiled and cached."""

from __future__ import annotations

import functools
import gc
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeVar, cast

from rlsmove._processors import n_processors

#: The process that compiles beside this one, if any; whether one is wanted is looked at once.
_helper: subprocess.Popen[bytes] | None = None
_looked_at = False

F = TypeVar("F", bound=Callable[..., Any])


def kernel(signature: str) -> Callable[[F], F]:
    """Compile a plain Python function on arrays and scalars, and cache the machine code.

    Parameters
    ----------
    signature : str
        Explicit numba signature: the kernel is compiled for it alone, never anew for another
        combination of arguments.

    Returns
    -------
    callable
        Decorator. The kernel is loaded from its cache, or compiled, when it is first called: a
        command pays for those that it uses. The plain function stays reachable as ``py_func``.

    Notes
    -----
    NaN carries meaning throughout (a missing sample), so ``fastmath`` stays off. Where no cache
    folder can be written (numba looks beside the module, then in the user's cache), the kernel
    is compiled for this process alone.
    """

    def defer(function: F) -> F:
        return cast(F, Kernel(function, signature))

    return defer


def inner_kernel(function: F) -> F:
    """Compile a function that kernels of its module call; it becomes part of their machine code.

    Returns
    -------
    callable
        Compiled for the arguments it is called with, when the first of those kernels is loaded.
    """
    return cast(F, Kernel(function))


def load_kernels(last_first: bool = False) -> None:
    """Load or compile now every kernel of the modules imported so far."""
    for deferred in Kernel.every[:: -1 if last_first else 1]:
        deferred.load()


class Kernel:
    """A function that is compiled, or loaded from its cache, when it is first needed.

    Until then not even numba is imported: that alone takes longer than most commands.
    """

    every: ClassVar[list[Kernel]] = []

    def __init__(self, function: Callable[..., Any], *signature: str) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self.signature = signature
        self._ready: Callable[..., Any] | None = None
        self.every.append(self)

    def load(self) -> Callable[..., Any]:
        if self._ready is None:
            # While numba compiles a function it has to find those it calls compiled.
            scope = self.py_func.__globals__
            for name in self.py_func.__code__.co_names:
                if isinstance(called := scope.get(name), Kernel):
                    scope[name] = called.load()
            self._ready = _compiled(self.py_func, *self.signature)
        return self._ready

    def __call__(self, *arguments: Any) -> Any:
        if self._ready is None:
            _compile_others_if_new(self)
        return (self._ready or self.load())(*arguments)


def _compile_others_if_new(first: Kernel) -> None:
    """Where there is no cache yet, let another process compile the other modules' kernels into it.

    In the first run after an installation every kernel has to be compiled, one after the other:
    numba has a single lock. While this process compiles those that it needs first, the other one
    comes from the other end; where they meet, this one finds the rest in the cache.
    """
    global _helper, _looked_at
    if _looked_at:
        return
    _looked_at = True
    others = dict.fromkeys(other.__module__ for other in Kernel.every)
    del others[first.__module__]
    frozen = hasattr(sys, "frozen")  # into a program of its own: there is no Python to start
    if not others or n_processors() == 1 or frozen or not sys.executable:
        return
    function = first.py_func
    try:
        cache = Path(_numba().njit(cache=True)(function).stats.cache_path)
    except RuntimeError:  # there is no place for a cache
        return
    if any(cache.glob(f"*.{function.__name__}-{function.__code__.co_firstlineno}.*")):
        return
    code = [
        "import sys",
        f"sys.path[:] = {sys.path}",
        f"from {__name__} import load_kernels",
        *(f"import {module}" for module in others),
        "load_kernels(last_first=True)",
    ]
    nowhere = subprocess.DEVNULL
    _helper = subprocess.Popen(
        [sys.executable, "-c", "; ".join(code)], stdin=nowhere, stdout=nowhere, stderr=nowhere
    )


def _compiled(function: F, *signature: str) -> F:
    compiler: Any = _numba().njit
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    with _garbage_left():
        try:
            return cast(F, compiler(*signature, cache=True, **options)(function))
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            return cast(F, compiler(*signature, **options)(function))


@contextmanager
def _garbage_left() -> Iterator[None]:
    """Collect no garbage: of the millions of objects that numba makes, hardly one is any."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@functools.cache
def _numba() -> ModuleType:
    """Import numba, but keep it from importing scipy.linalg at its first kernel: 0.15 s.

    ``numba.np.arraymath`` asks at its import whether there is a BLAS, and numba asks again
    wherever a kernel, of whomever, uses one. Only the first question is skipped.
    """
    with _garbage_left():
        numba = importlib.import_module("numba")
        linalg: Any = importlib.import_module("numba.np.linalg")
        ask = linalg.ensure_blas
        linalg.ensure_blas = lambda: None
        try:
            importlib.import_module("numba.np.arraymath")
        finally:
            linalg.ensure_blas = ask
    return numba
