"""What a folder holds, to see that it stayed as it was."""

from hashlib import sha256
from pathlib import Path


def contents_of(root: Path) -> dict[str, str]:
    """Every file below `root` outside of `.git`, with a checksum of what it holds."""
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts)
    return {str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in files}
