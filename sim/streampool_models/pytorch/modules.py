"""A `torch.nn.Module` as it runs: each pooling that it calls, whatever calls it.

The module runs on random inputs, and what it calls is written down. So a functional call, a module
that is called twice and control flow of any kind are seen as they happen.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]  # an extra
from streampool_golden.errors import shown
from streampool_sim.refusals import Refused
from streampool_sim.signals import Stopped
from streampool_sim.words import by
from torch.overrides import TorchFunctionMode  # pyright: ignore[reportMissingImports]  # an extra
from torch.utils import _pytree as pytree  # pyright: ignore[reportMissingImports]  # an extra
from torch.utils.weak import WeakTensorKeyDictionary  # pyright: ignore[reportMissingImports]  # an extra

from ..layer import Input, Model, Through
from ..names import Names
from ..reading import Shapes
from .calls import Call, Trace, named
from .pools import POOL, WHOLE, Site, nodes, pools, sites
from .tensors import array, fact, taken, through_core

FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a module's code raises where inputs do not suit it."""

VALUES = ("input", "self", "x")
"""What the first value is called where it is given by name."""


class TorchModule(Model):
    """A module, with the pooling that it does on inputs of some shapes.

    Parameters
    ----------
    module : torch.nn.Module
        What to run; it runs as it infers, and is left as it was.
    shapes : sequence of tuple of int
        Those of its inputs.
    """

    def __init__(self, module: torch.nn.Module, shapes: Shapes) -> None:
        self._module = module
        self._trace = Trace()
        self._sites: Sequence[Site] = ()
        self.warnings = self._listed(shapes)
        self._sites = sites(self._trace)
        self.layers = [site.layer for site in self._sites]
        self.nodes = nodes(self._trace, self._sites)
        taken = None
        if self._dtype.is_floating_point:  # smaller ones are made of float32
            taken = np.dtype("float64" if self._dtype == torch.float64 else "float32")
        self.inputs = [Input(f"input {k + 1}", taken, shape) for k, shape in enumerate(shapes)]

    def run(self, inputs: Sequence[np.ndarray], through: Through | None = None) -> list[np.ndarray]:
        """Run the module; its outputs are those of it that are tensors."""
        given = [
            _as(torch.from_numpy(np.array(each)), self._dtype, _device(self._module))
            for each in inputs
        ]
        here = [
            Site(layer, site.call, site.source, site.inside, site.outside)
            for layer, site in zip(self.layers, self._sites, strict=True)
        ]
        swaps = None if through is None else _Swaps(self._trace, here, through)
        try:
            made = self._called(given, Trace(), swaps)
        except (*FAILURES, SystemExit) as error:
            raise Refused(f"the module does not run on these inputs: {first_line(error)}") from None
        return [array(each) for each in pytree.tree_leaves(made) if isinstance(each, torch.Tensor)]

    def _called(self, inputs: Sequence[torch.Tensor], trace: Trace, swaps: "_Swaps | None") -> Any:
        stack = _Stack(self._module)
        with torch.no_grad(), inferring(self._module), stack, _Recorder(trace, stack, swaps):
            return self._module(*inputs)

    def _listed(self, shapes: Shapes) -> list[str]:
        """Run once to see what is called; returns what there is to say of it."""
        tried: BaseException | None = None
        for dtype in (_dtype(self._module), torch.int64):
            self._trace, self._dtype = Trace(), dtype
            try:
                given = random_inputs(shapes, dtype, _device(self._module))
                self._called(given, self._trace, None)
                return []
            except (KeyboardInterrupt, Stopped):
                raise
            except BaseException as error:  # a module may raise anything
                last = self._trace.calls[-1] if self._trace.calls else None
                if last is not None and pools(last.function) and not last.outputs:
                    return [f"the model does not go on behind {last.name}: {first_line(error)}"]
                tried = tried or error
        assert tried is not None
        given = ",".join(map(by, shapes))
        raise Refused(
            f"the module does not run on inputs of {given}: {first_line(tried)}; use --input-shape"
            " with the shapes that its forward takes"
        ) from tried


class _Stack:
    """The modules that are being called, the innermost last."""

    def __init__(self, root: torch.nn.Module) -> None:
        self._paths = {module: path for path, module in root.named_modules()}
        self._now: list[torch.nn.Module] = []
        self._hooks: list[Any] = []
        self.names = Names(path for path in self._paths.values() if path)

    def __enter__(self) -> None:
        for module in self._paths:
            if isinstance(module, torch.jit.ScriptModule):
                continue
            self._hooks.append(module.register_forward_pre_hook(self._enter, prepend=True))
            self._hooks.append(module.register_forward_hook(self._leave, always_call=True))

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _enter(self, module: torch.nn.Module, _: Any) -> None:
        self._now.append(module)

    def _leave(self, *_: Any) -> None:
        self._now.pop()

    def name(self, function: str) -> tuple[str, str]:
        """Return the name of a call of a function now, and what makes it."""
        if not self._now:
            return self.names(function), function
        module = self._now[-1]
        path, kind = self._paths[module], type(module).__name__
        own = type(module).__module__.startswith(("torch.nn.", "torch.ao."))
        if path and (own or (pools(function) and not list(module.children()))):
            return self.names(path), kind if own else function
        return self.names(f"{path}.{function}".lstrip(".")), function


class _Swaps:
    """The layers whose values go through something else, by the numbers of their calls."""

    def __init__(self, trace: Trace, found: Sequence[Site], through: Through) -> None:
        self.calls = trace.calls
        self.sites = {site.call: site for site in found}
        self.kept = {site.source for site in found}
        self.values: dict[str, torch.Tensor] = {}
        self.through = through

    def __call__(self, number: int, call: Call, value: torch.Tensor, result: Any) -> Any:
        """Return what goes on instead of a call's own result."""
        site = self.sites.get(number)
        if number < len(self.calls) and self.calls[number].function != call.function:
            raise Refused(
                f"the model calls {call.name} where it called {self.calls[number].name} before: it"
                " goes another way on these inputs; use inputs of the shapes that were listed"
            )
        if site is None:
            return result
        source = taken(site, self.values.get(site.source, value), value)
        return through_core(site, source, result, self.through)


class _Recorder(TorchFunctionMode):
    """Writes down what is called, and puts layers' values through something else."""

    def __init__(self, trace: Trace, stack: _Stack, swaps: _Swaps | None) -> None:
        super().__init__()
        self._trace, self._stack, self._swaps = trace, stack, swaps
        self._ids = WeakTensorKeyDictionary()
        self._count = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        function = _function(func)
        if function.startswith("__") or not (tensors := _tensors((args, kwargs))):
            return func(*args, **kwargs)
        inputs = tuple(map(self._id, tensors))
        made = self._call(function, args, kwargs, inputs)
        number = len(self._trace.calls)
        try:
            result = func(*args, **kwargs)
        except Exception:
            self._trace.calls.append(made)
            raise
        outs = _tensors(result)
        if not outs:
            return result  # a shape, say
        if self._swaps is not None:
            result = self._swaps(number, made, tensors[0], result)
            outs = _tensors(result)
        outputs = tuple(self._id(each, anew=True) for each in outs)
        self._trace.calls.append(
            Call(made.function, made.name, made.op, made.arguments, inputs, outputs)
        )
        return result

    def _call(
        self, function: str, args: Sequence[Any], kwargs: dict[str, Any], inputs: tuple[str, ...]
    ) -> Call:
        name, op = self._stack.name(function)
        match = POOL.fullmatch(function)
        family = f"{match['kind']}_pool" if match else function
        if function in WHOLE and "axis" in kwargs:
            kwargs = {**kwargs, "dim": kwargs["axis"]}
        rest = {key: value for key, value in kwargs.items() if key not in VALUES}
        given = args if any(key in kwargs for key in VALUES) else args[1:]
        return Call(function, name, op, named(family, given, rest), inputs, ())

    def _id(self, tensor: torch.Tensor, *, anew: bool = False) -> str:
        """Return the name of a tensor's value; `anew` where it is one that was just made."""
        if anew or tensor not in self._ids:
            self._count += 1
            name = f"v{self._count}"
            self._ids[tensor] = name
            self._trace.facts[name] = fact(tensor)
            if self._swaps is not None and name in self._swaps.kept:
                self._swaps.values[name] = tensor
        return self._ids[tensor]


def _function(func: Callable[..., Any]) -> str:
    """Return a function's name, without the overload that aten's have."""
    name = getattr(func, "__name__", "") or type(func).__name__
    return name.partition(".")[0]


def _tensors(values: Any) -> list[torch.Tensor]:
    return [each for each in pytree.tree_leaves(values) if isinstance(each, torch.Tensor)]


def _dtype(module: torch.nn.Module) -> torch.dtype:
    """Return the type of a module's inputs, if they are floats: that of its weights."""
    floats = (each.dtype for each in module.parameters() if each.is_floating_point())
    return next(floats, torch.float32)


def _as(values: torch.Tensor, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Return values for a module: those of its own type, where it takes floats."""
    if not dtype.is_floating_point and not values.is_floating_point():
        return values.to(device)
    return values.to(device, dtype)


def _device(module: torch.nn.Module) -> torch.device:
    """Return where a module's weights are: on ``meta`` too, as a list needs shapes alone."""
    return next((each.device for each in module.parameters()), torch.device("cpu"))


def random_inputs(shapes: Shapes, dtype: torch.dtype, device: torch.device) -> list[torch.Tensor]:
    """Return inputs of some shapes: the same at every call, from 0 to 1; integers are 0."""
    if device.type == "meta" or not dtype.is_floating_point:
        return [torch.zeros(shape, dtype=dtype, device=device) for shape in shapes]
    random = torch.Generator().manual_seed(0)
    return [torch.rand(shape, generator=random).to(device, dtype) for shape in shapes]


@contextmanager
def inferring(module: torch.nn.Module) -> Iterator[None]:
    """Have a module infer, and leave each part of it as it was."""
    training = [each for each in module.modules() if each.training]
    for each in training:
        each.training = False
    try:
        yield
    finally:
        for each in training:
            each.training = True


def first_line(error: BaseException) -> str:
    """Return what an exception says first, without its full stop."""
    if isinstance(error, SystemExit):
        return "it ends the program"
    said = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return shown(said)[1:-1].rstrip(".") if len(said) > 200 else said.strip().rstrip(".")


def opened(module: Any, shapes: Shapes) -> TorchModule:
    """Return a module that was looked into, or refuse what has no shapes or is none."""
    module = as_module(module)
    if not shapes:
        raise Refused("the shape of a module's input is not known; use --input-shape 1x3x224x224")
    return TorchModule(module, shapes)


def as_module(module: Any) -> torch.nn.Module:
    """Return what is to run of what was given, or refuse what cannot be looked into."""
    if isinstance(module, torch.export.ExportedProgram):
        return module.module()
    if isinstance(module, torch.jit.ScriptModule):
        raise Refused(
            "a TorchScript module does not show what it calls; use the torch.nn.Module that it was"
            " made from"
        )
    if isinstance(module, torch.nn.Module):
        return getattr(module, "_orig_mod", module)  # what torch.compile makes has the module in it
    raise Refused(f"{shown(module)} is no torch.nn.Module; use one, or what makes one")
