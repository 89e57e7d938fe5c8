"""The rule of the skill runtime-performance-auditor about long computations in coroutines."""

import ast

from skills.gates.analysis.bindings import annotated_type, lookup, origin
from skills.gates.analysis.execution import execution_of, severity_of
from skills.gates.analysis.receivers import TypeReader
from skills.gates.analysis.waits import each_of
from skills.gates.engine.context import FileContext
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_product_path
from skills.gates.engine.syntax import descendants
from skills.gates.model import Confidence, Evidence, Severity
from skills.gates.rule import Example, Rule, Watch
from skills.gates.runtime.blocking_hops import Wait, wait_behind
from skills.gates.runtime.runtime_performance_auditor import SKILL, coroutine_around, resolved, shown

TO_THREAD = "missing-to-thread"

_PASSWORD = "is slow on purpose"
_IMAGE = "decodes an image"
_PARSE = "parses a whole document"
_PACK = "compresses or unpacks"
_TABLE = "reads a whole table"
_LOAD = "loads a whole file"
_WRITE = "writes a whole file"
_CRYPTO = "computes a key"
_RENDER = "renders a document"
_MATRIX = "takes a matrix apart"
_MODEL = "runs a model"


_FUNCTIONS: dict[str, str] = {
    **each_of("bcrypt", "hashpw checkpw kdf", _PASSWORD),
    **each_of("hashlib", "pbkdf2_hmac scrypt", _PASSWORD),
    **each_of("hashlib", "file_digest", _LOAD),
    **each_of("werkzeug.security", "generate_password_hash check_password_hash", _PASSWORD),
    **each_of("django.contrib.auth.hashers", "make_password check_password", _PASSWORD),
    **each_of("argon2", "hash_password verify_password", _PASSWORD),
    **each_of("PIL.Image", "open frombytes", _IMAGE),
    **each_of("PIL.ImageOps", "exif_transpose fit", _IMAGE),
    **each_of("cv2", "imread imwrite imdecode imencode resize cvtColor GaussianBlur Canny", _IMAGE),
    **each_of("imageio", "imread imwrite", _IMAGE),
    **each_of("skimage.io", "imread", _IMAGE),
    **each_of("lxml.etree", "parse fromstring XML HTML iterparse", _PARSE),
    **each_of("lxml.html", "parse fromstring document_fromstring", _PARSE),
    **each_of("xml.etree.ElementTree", "parse fromstring XML iterparse", _PARSE),
    **each_of("defusedxml.ElementTree", "parse fromstring", _PARSE),
    **each_of("bs4", "BeautifulSoup", _PARSE),
    **each_of("html5lib", "parse", _PARSE),
    **each_of("json", "load", _LOAD),
    **each_of("pickle", "load", _LOAD),
    **each_of("joblib", "load", _LOAD),
    **each_of("torch", "load", _LOAD),
    **each_of("numpy", "load loadtxt genfromtxt", _LOAD),
    **each_of("json", "dump", _WRITE),
    **each_of("pickle", "dump", _WRITE),
    **each_of("joblib", "dump", _WRITE),
    **each_of("torch", "save", _WRITE),
    **each_of("numpy", "save savez", _WRITE),
    **each_of("tomllib", "load", _LOAD),
    **each_of(
        "pandas",
        "read_csv read_excel read_json read_parquet read_sql read_sql_query read_sql_table read_html read_xml",
        _TABLE,
    ),
    **each_of("polars", "read_csv read_parquet read_json read_excel", _TABLE),
    **each_of("openpyxl", "load_workbook", _TABLE),
    **each_of("zlib", "compress decompress", _PACK),
    **each_of("gzip", "compress decompress", _PACK),
    **each_of("bz2", "compress decompress", _PACK),
    **each_of("lzma", "compress decompress", _PACK),
    **each_of("xlrd", "open_workbook", _TABLE),
    **each_of("pyarrow.parquet", "read_table write_table", _TABLE),
    **each_of("geopandas", "read_file", _TABLE),
    **each_of("xmltodict", "parse unparse", _PARSE),
    **each_of("pdfplumber", "open", _PARSE),
    **each_of("pdf2image", "convert_from_path convert_from_bytes", _RENDER),
    **each_of("markdown", "markdown", _RENDER),
    **each_of("matplotlib.pyplot", "savefig", _RENDER),
    **each_of("librosa", "load", _LOAD),
    **each_of("soundfile", "read write", _LOAD),
    **each_of("scipy.io.wavfile", "read write", _LOAD),
    **each_of("pydub.AudioSegment", "from_file from_mp3 from_wav", _LOAD),
    **each_of("rembg", "remove", _IMAGE),
    **each_of("imageio.v2", "imread imwrite", _IMAGE),
    **each_of("imageio.v3", "imread imwrite", _IMAGE),
    **each_of("numpy.linalg", "svd inv eig eigh solve lstsq pinv", _MATRIX),
    **each_of("nacl.pwhash", "str verify", _PASSWORD),
    **each_of("flask_bcrypt", "generate_password_hash check_password_hash", _PASSWORD),
    **each_of("Crypto.Protocol.KDF", "PBKDF2 scrypt bcrypt", _PASSWORD),
    **each_of("pypdf", "PdfReader", _PARSE),
    **each_of("PyPDF2", "PdfReader", _PARSE),
    **each_of("fitz", "open", _PARSE),
    **each_of("docx", "Document", _PARSE),
    **each_of("weasyprint", "HTML", _RENDER),
    **each_of("pytesseract", "image_to_string image_to_data", _IMAGE),
    **{
        f"passlib.hash.{name}.{method}": _PASSWORD
        for name in ("bcrypt", "argon2", "pbkdf2_sha256", "sha512_crypt", "scrypt")
        for method in ("hash", "verify", "encrypt")
    },
    **each_of("cryptography.hazmat.primitives.asymmetric.rsa", "generate_private_key", _CRYPTO),
}
_PASSWORDS = "hash verify hash_password verify_and_update needs_rehash encrypt"
_IMAGES = "save resize thumbnail convert rotate filter crop transpose quantize"
_METHODS: dict[str, tuple[frozenset[str], str]] = {
    "passlib.context.CryptContext": (frozenset(_PASSWORDS.split()), _PASSWORD),
    "sentence_transformers.SentenceTransformer": (frozenset({"encode"}), _MODEL),
    "sentence_transformers.CrossEncoder": (frozenset({"predict", "rank"}), _MODEL),
    "whisper.load_model()": (frozenset({"transcribe"}), _MODEL),
    "faster_whisper.WhisperModel": (frozenset({"transcribe"}), _MODEL),
    "easyocr.Reader": (frozenset({"readtext"}), _MODEL),
    "weasyprint.HTML": (frozenset({"write_pdf", "render"}), _RENDER),
    "argon2.PasswordHasher": (frozenset({"hash", "verify"}), _PASSWORD),
    "pwdlib.PasswordHash": (frozenset(_PASSWORDS.split()), _PASSWORD),
    "PIL.Image.Image": (frozenset(_IMAGES.split()) - {"crop"}, _IMAGE),
}
_MAKES = {
    "PIL.Image.open": "PIL.Image.Image",
    "PIL.Image.new": "PIL.Image.Image",
    "PIL.Image.frombytes": "PIL.Image.Image",
    "whisper.load_model": "whisper.load_model()",
    "pwdlib.PasswordHash.recommended": "pwdlib.PasswordHash",
    **{f"PIL.Image.Image.{name}": "PIL.Image.Image" for name in ("resize", "convert", "rotate", "crop", "transpose")},
}
_TYPES = TypeReader(frozenset(_METHODS), _MAKES, frozenset())
_DIGESTS = frozenset(f"hashlib.{name}" for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b"))
_LOADERS = frozenset(
    {"json.loads", "ujson.loads", "orjson.loads", "simplejson.loads", "pickle.loads", "yaml.safe_load", "yaml.load",
     "tomllib.loads", "csv.reader", "csv.DictReader"}
)  # fmt: skip
_CONTENT = lazy(r"(?:^|_)(?:data|blob|content|contents|body|payload|image|file|document|archive|pdf|raw)$")
_WHOLE = frozenset({"read", "read_text", "read_bytes", "getvalue", "body", "readlines"})
_WHOLE_ATTRIBUTES = frozenset({"content", "text", "body"})
_NAMES = frozenset(
    {name.rpartition(".")[2] for name in (*_FUNCTIONS, *_DIGESTS, *_LOADERS)}
    | {method for methods, _ in _METHODS.values() for method in methods}
)
_WORDS = tuple(sorted({name.partition(".")[0].encode() for name in (*_FUNCTIONS, *_DIGESTS, *_LOADERS, *_METHODS)}))
_HEAVY_WORDS = (
    b"bcrypt", b"passlib", b"argon2", b"pwdlib", b"PIL", b"cv2", b"lxml", b"bs4", b"ElementTree", b"pandas", b"polars",
    b"openpyxl", b"pbkdf2", b"scrypt", b"joblib", b"pypdf", b"fitz", b"gzip.", b"zlib.",
)  # fmt: skip
"""What stands in files of which plain functions may work long enough to look behind their names."""
_FREE = frozenset({"json", "hashlib", "bcrypt", "cv2", "PIL", "pickle", "pandas", "lxml", "zlib", "gzip"})


def _on_call(node: ast.Call, context: FileContext) -> None:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in _NAMES and name not in context.imports:
        return
    if context.function.__class__ is not ast.AsyncFunctionDef:
        return
    found = _works(node, context)
    coroutine = coroutine_around(node, context) if found is not None else None
    if found is None or coroutine is None or isinstance(context.parent(node), ast.Await):
        return
    what, severity, confidence = found
    made_by = _TYPES.said_by(context, function.value) if isinstance(function, ast.Attribute) else ()
    _report(node, what, coroutine, severity, confidence, made_by, context)


def _report(
    node: ast.Call,
    what: str,
    coroutine: ast.AsyncFunctionDef,
    severity: Severity,
    confidence: Confidence,
    way: tuple[Evidence, ...],
    context: FileContext,
) -> None:
    kind, why = execution_of(context)
    context.report(
        TO_THREAD,
        node,
        f"`{shown(node.func)}(…)` {what} inside `async def {coroutine.name}` and keeps the event loop from all else",
        severity=severity_of(kind, severity, severity),
        confidence=confidence,
        evidence=(*way, *((why,) if why else ())),
    )


def _on_hop(node: ast.Call, context: FileContext) -> None:
    """A call of a plain function of the file that works long, itself or by way of another one."""
    if context.function.__class__ is not ast.AsyncFunctionDef:
        return
    found = wait_behind(node, context, _work_of)
    coroutine = coroutine_around(node, context) if found is not None else None
    if found is None or coroutine is None or isinstance(context.parent(node), ast.Await):
        return
    work, way = found
    what = f"comes to `{work.shown}(…)`, which {work.what},"
    _report(node, what, coroutine, "MEDIUM", "likely", way, context)


def _work_of(node: ast.Call, context: FileContext) -> Wait | None:
    """What a call of a plain function works at; what may be small is not worth the way."""
    if last_name(node.func) not in _NAMES and last_name(node.func) not in context.imports:
        return None
    found = _works(node, context)
    if found is None or found[2] != "confirmed":
        return None
    return Wait(node.lineno, shown(node.func), found[0])


def _works(node: ast.Call, context: FileContext) -> tuple[str, Severity, Confidence] | None:
    name = origin(context, node.func)
    if (name in _FUNCTIONS or name in _DIGESTS or name in _LOADERS) and (name := resolved(node, context)):
        root = name.partition(".")[0]
        if root not in _FREE and lookup(context, _root(node.func), node.lineno) is None:
            return None
        what = _FUNCTIONS.get(name)
        if name == "docx.Document" and not node.args and not node.keywords:
            return None  # an empty one
        if what is not None:
            return what, "MEDIUM", "confirmed"
        whole = bool(node.args) and (
            _is_whole(node.args[0], context) or (name in _DIGESTS and _is_bytes(node.args[0], context))
        )
        if name in _DIGESTS | _LOADERS and whole:
            what = "digests" if name in _DIGESTS else "parses"
            return f"{what} as much as it is given (a whole body or file)", "LOW", "needs_context"
    if isinstance(node.func, ast.Attribute):
        kind = _TYPES.type_of(context, node.func.value)
        methods, what = _METHODS.get(kind or "", (frozenset(), ""))
        if node.func.attr in methods:
            return what, "MEDIUM", "confirmed"
    return None


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_whole(node: ast.expr, context: FileContext) -> bool:
    """True where an argument is a whole file, body or answer, directly or by its name's last assignment."""
    if isinstance(node, ast.Name):
        found = lookup(context, node.id, node.lineno)
        if found is None or found.kind != "value" or found.value is None:
            return False
        node = found.value
    for part in descendants(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in _WHOLE:
            return True
    return isinstance(node, ast.Attribute) and node.attr in _WHOLE_ATTRIBUTES


def _is_bytes(node: ast.expr, context: FileContext) -> bool:
    """True for a parameter of bytes that is named for a content of any size: `blob: bytes`."""
    if not isinstance(node, ast.Name) or _CONTENT.search(node.id) is None:
        return False
    found = lookup(context, node.id, node.lineno)
    hint = annotated_type(context, found.hint) if found is not None and found.kind == "typed" else None
    return hint in ("bytes", "bytearray", "memoryview")


_PATH = "app/images.py"

missing_to_thread = Rule(
    name=TO_THREAD,
    gate="none",
    severity="MEDIUM",
    skill=SKILL,
    sources=("PA-653-5",),
    catches="Long computations inside `async def`: password hashes, images, XML and HTML documents, tables, "
    "compression, whole JSON or pickle files, digests of whole files and bodies.",
    why="A coroutine gives way only where it awaits: while it computes, no other request moves.",
    fix="`await asyncio.to_thread(f, x)`, or a process pool for what takes more than a moment.",
    when="In coroutines of production code: MEDIUM, LOW in code that runs once. `json.loads` and digests are LOW, need "
    "context, and count only where they are given a whole file, body or answer, a digest also where its bytes are "
    "named so. A call of a plain function of the file counts for what that works at.",
    watches=(
        Watch((ast.Call,), _on_call, _WORDS, is_product_path),
        Watch((ast.Call,), _on_hop, _HEAVY_WORDS, is_product_path),
    ),
    bad=(
        Example({_PATH: "from PIL import Image\n\n\nasync def thumb(upload):\n    image = Image.open(upload)\n"
                 "    image.thumbnail((9, 9))\n"}),
        Example({_PATH: "import bcrypt\n\n\nasync def sign_up(word, salt):\n    return bcrypt.hashpw(word, salt)\n"}),
        Example({_PATH: "import json\n\n\nasync def load(handle):\n    return json.load(handle)\n"}),
        Example({_PATH: "from passlib.context import CryptContext\n\npwd = CryptContext()\n\n\n"
                 "async def check(a, b):\n    return pwd.verify(a, b)\n"}),
        Example({_PATH: "from passlib.hash import bcrypt\n\n\nasync def keep(word):\n    return bcrypt.hash(word)\n"}),
        Example({_PATH: "from bs4 import BeautifulSoup as Soup\n\n\nasync def title(html):\n"
                 "    return Soup(html, 'lxml').title\n"}),
        Example({_PATH: "import hashlib\n\n\nasync def etag(upload):\n    data = await upload.read()\n"
                 "    return hashlib.sha256(data).hexdigest()\n"}),
        Example({_PATH: "import hashlib\n\n\nasync def etag(blob: bytes):\n"
                 "    return hashlib.sha256(blob).hexdigest()\n"}),
        Example({_PATH: "import pandas as pd\n\n\nasync def rows(path):\n    return pd.read_csv(path)\n"}),
        Example({_PATH: "import bcrypt\n\n\ndef sign(word):\n    return bcrypt.hashpw(word, b'x')\n\n\n"
                 "async def sign_up(word):\n    return sign(word)\n"}),
    ),
    good=(
        Example({_PATH: "import asyncio\n\nfrom PIL import Image\n\n\nasync def thumb(upload):\n"
                 "    return await asyncio.to_thread(Image.open, upload)\n"}),
        Example({_PATH: "import bcrypt\n\n\ndef sign_up(word, salt):\n    return bcrypt.hashpw(word, salt)\n"}),
        Example({_PATH: "import asyncio\n\nimport bcrypt\n\n\ndef sign(word):\n"
                 "    return bcrypt.hashpw(word, b'x')\n\n\nasync def sign_up(word):\n"
                 "    return await asyncio.to_thread(sign, word)\n"}),
        Example({_PATH: "import json\n\n\nasync def on_message(text):\n    return json.loads(text)\n"},
                note="a message is small"),
        Example({_PATH: "import hashlib\n\n\nasync def key(name):\n    return hashlib.sha256(b'x').hexdigest()\n"}),
        Example({_PATH: "import asyncio\nimport json\n\n\nasync def load(handle):\n"
                 "    return await asyncio.to_thread(lambda: json.load(handle))\n"}),
        Example({_PATH: "import cv2\n\n\nasync def f(cv2):\n    return cv2.imread('x')\n"}, note="a parameter"),
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (missing_to_thread,)
