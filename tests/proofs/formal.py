"""What Amaranth has for proofs, of which its stubs say nothing."""

from importlib import import_module
from typing import Any

_hdl: Any = import_module("amaranth.hdl")
_asserts: Any = import_module("amaranth.asserts")

Assert, Assume, Cover = _hdl.Assert, _hdl.Assume, _hdl.Cover
AnyConst, AnySeq = _asserts.AnyConst, _asserts.AnySeq
rtlil: Any = import_module("amaranth.back.rtlil")
