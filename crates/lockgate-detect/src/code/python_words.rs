//! The names that matter in a Python program.

/// Modules that compute and nothing else: no file, process, network, clock that stalls, or way to other modules. What is below
/// one in dots is allowed with it.
pub(super) const MODULES: &str = "\
    __future__ abc array base64 binascii bisect calendar cmath collections copy csv dataclasses datetime decimal difflib enum \
    fractions functools hashlib heapq hmac html itertools json math numbers pprint random re statistics string struct textwrap \
    typing unicodedata";

/// Modules that import others by name.
pub(super) const IMPORTERS: &str = "importlib imp runpy pkgutil zipimport modulefinder pydoc code codeop";

/// Builtins that leave the program: files, the terminal, its own frames and names. What reads the file of a licence is among them.
pub(super) const RESTRICTED: &str = "\
    open input globals locals vars breakpoint help exit quit copyright credits license dir";

/// Builtins that run text.
pub(super) const RUN: &str = "eval exec compile execfile";

/// Builtins that reach attributes by name.
pub(super) const BY_NAME: &str = "getattr setattr delattr hasattr";

/// Names with two underscores that are harmless as names.
pub(super) const PLAIN_NAMES: &str =
    "__name__ __main__ __doc__ __all__ __version__ __author__ __slots__ __match_args__ __debug__ __future__";

/// The same as attributes: what programs call on themselves and their parents.
pub(super) const PLAIN_ATTRIBUTES: &str = "\
    __init__ __name__ __qualname__ __doc__ __len__ __str__ __repr__ __iter__ __next__ __post_init__ __eq__ __hash__ __contains__ \
    __call__ __enter__ __exit__ __version__";

/// Attributes that lead from a value to its frame, its code or its class's parents.
pub(super) const INNER: &str = "\
    gi_frame gi_code cr_frame cr_code ag_frame ag_code f_globals f_locals f_builtins f_back f_code tb_frame tb_next co_code co_consts \
    func_globals func_code func_closure im_func im_self im_class mro";

/// Attributes that read a field of a value by its path in a text.
pub(super) const FIELDS: &str = "attrgetter methodcaller Formatter get_field vformat";

/// Modules that harmless ones import and thereby offer, and functions that start programs.
pub(super) const OFFERED: &str = "\
    os sys subprocess builtins importlib ctypes socket shutil codecs inspect gc pickle marshal multiprocessing threading linecache \
    system popen spawnl spawnv spawnve execv execve execl execlp execvp fork forkpty posix_spawn modules meta_path path_hooks \
    pathlib tempfile sysconfig";

/// The same where they hang on the name of an import: as attributes of other things they mean something else.
pub(super) const OFFERED_BY_IMPORT: &str = "io types code signal platform locale logging warnings operator copyreg site atexit contextlib weakref time";

/// Private attributes that are public all the same.
pub(super) const PUBLIC: &str = "_asdict _replace _fields _make";

/// Names by which an object calls itself and its like.
pub(super) const OWN: &str = "self cls other";

/// Words that lead out of a value wherever they stand in a text: attributes can be named in formats.
pub(super) const IN_TEXT: [&str; 24] = [
    "__class__",
    "__globals__",
    "__builtins__",
    "__import__",
    "__subclasses__",
    "__mro__",
    "__bases__",
    "__base__",
    "__dict__",
    "__code__",
    "__closure__",
    "__getattribute__",
    "__loader__",
    "__spec__",
    "__reduce__",
    "__reduce_ex__",
    "__func__",
    "__self__",
    "__module__",
    "__wrapped__",
    "__traceback__",
    "__getattr__",
    "__init__.",
    "gi_frame",
];

pub(super) fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}
