"""Which exceptions of which library mean that memory has run out."""

_NAMES = frozenset({"ResourceExhaustedError", "OutOfMemoryError", "MemoryError", "_ArrayMemoryError"})
# What RuntimeErrors say: JAX; PyTorch on the CPU, on Linux and Windows; what C++ throws, through TensorFlow.
_WORDS = (
    "RESOURCE_EXHAUSTED",
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python, NumPy, TensorFlow, JAX or PyTorch says that memory has run out.

    By name, since none of the libraries may be imported to ask.
    """
    if any(kind.__name__ in _NAMES for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)
