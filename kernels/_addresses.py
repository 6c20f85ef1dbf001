"""Arrays by their addresses, in compiled code."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, njit, types
from numba.extending import intrinsic


@intrinsic
def _int64_pointer(typing_context: Any, address: Any) -> Any:
    result = types.CPointer(types.int64)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())

    return result(types.int64), codegen


@njit(inline="always")
def int64_array(address: Any, length: Any) -> Any:
    """The (length,) int64 array at an address, which must stay where it is."""
    return carray(_int64_pointer(address), (length,))
