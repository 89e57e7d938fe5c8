"""What tells one content of a file from another: the id that git gives it, so that its index says what is known."""

import sys


def digest_of(source: bytes) -> bytes:
    """The id of a blob with this content, in a repository with SHA-1 ids (20 bytes)."""
    return _sha1(b"blob %d\0" % len(source), source)


def hash_quickly() -> None:
    """Load the faster implementation: for who reads many files; to load it takes longer than to read a few."""
    import _hashlib  # noqa: F401


def _sha1(*parts: bytes) -> bytes:
    fast = sys.modules.get("_hashlib")
    if fast is None:
        try:
            from _sha1 import sha1  # type: ignore[import-not-found]
        except ImportError:
            from hashlib import sha1
        told = sha1()
    else:
        told = fast.openssl_sha1(usedforsecurity=False)
    for part in parts:
        told.update(part)
    digest: bytes = told.digest()
    return digest
