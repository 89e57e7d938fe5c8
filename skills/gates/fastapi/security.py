"""Rules of the skill fastapi-patterns about security: secrets in answers."""

import ast
import re

from msgspec.structs import replace

from skills.gates.django.drf_serializer_patterns import meta_value
from skills.gates.engine.context import FileContext, FunctionNode
from skills.gates.engine.names import last_name
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import outside_tests
from skills.gates.engine.syntax import descendants, string_of
from skills.gates.fastapi.routes import FASTAPI, endpoint_of
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.project import Place, Project
from skills.gates.rule import Example, Rule, Watch

SKILL = "fastapi-patterns"
SECRET_OUT = "secret-in-response"

PUBLIC = lazy(
    r"login|logout|log-in|sign-?(?:in|up|out)|token|regist|password|webhook|hook|callback|auth|health|ping|refresh|verify"
    r"|reset|recover|confirm|invite|otp|contact|public|subscribe|track|event|session",
    re.I,
)
# Endpoints by which a secret is kept: who may set it may see it.
_KEEPS = lazy(r"setting|config|admin|oauth|client|invit|cred", re.I)
_SECRET_FIELD = lazy(
    r"^(?:password|passwd|hashed_(?:password|passwd|pwd|key|token|secret|otp|pin)|secret|secret_key|(?:\w*_)?(?:password|passwd|pwd|pass|token|key|secret|otp|pin)_hash"
    r"|token|(?:api|access|refresh|auth|bearer|session|reset)_token|(?:api|private)_key|\w*_secret)$"
)
_GRANTED = frozenset({"access_token", "refresh_token"})  # beside a `token_type` as RFC 6749 (5.1) has them
_TEXTS = frozenset({"Optional", "Union", "Annotated", "Any", "List", "Dict", "None"})
# Endpoints that think of a password for whoever asks.
_MAKES_UP = lazy(r"generat|suggest|random", re.I)
_LEFT_OUT = lazy(r"exclude=True|repr=False|\b(?:mask|redact|obfuscat)", re.I)
_MASKS = lazy(r"(?:\b|_)(?:mask|redact|obfuscat)", re.I)
_NEVER_OUT = lazy(r"pass|hash")
_OUT = lazy(r"(?:Out|Output|Response|Read|Public|Resp)$")
_TOKEN_MODELS = lazy(
    r"token|login|auth|session|cred|key|secret|created?|otp|invite|webhook|register|oauth|sign_?(?:in|up)|refresh|jwt",
    re.I,
)


def _named(hint: ast.expr) -> list[str]:
    """The classes that an annotation names, also in quotes; not what stands in the arguments of a call, such as the
    examples in `Annotated[str, Field(examples=["Ann Smith"])]`."""
    aside = {part for call in descendants(hint) if isinstance(call, ast.Call) for part in descendants(call)}
    text = " ".join(
        str(part.value if isinstance(part, ast.Constant) else last_name(part))
        for part in descendants(hint)
        if part not in aside and isinstance(part, (ast.Constant, ast.Name, ast.Attribute))
    )
    return re.findall(r"\b[A-Z]\w*", text)


def _on_schema(node: ast.ClassDef, context: FileContext) -> None:
    """Says what a class is made of (fact "schema": its bases and the classes of its fields), and which of its fields
    are secrets."""
    if not node.bases:
        return
    parts = [name for name in (last_name(base) for base in node.bases) if name]
    statement = context.statement
    masked: bool | None = None  # asked once, and only of a class with a secret
    for field in node.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        hint = ast.unparse(field.annotation)
        if isinstance(field.value, ast.Call) and last_name(field.value.func) == "Relationship":
            continue  # no part of an answer: rows of another table
        named = _named(field.annotation)
        parts += named
        if (
            _SECRET_FIELD.match(field.target.id)
            and not _is_hidden(field, field.target.id, node)
            and not (field.target.id == "client_secret" and not _has_field(node, "client_id"))
            and not (field.target.id in _GRANTED and _has_field(node, "token_type"))
            and _TEXTS.issuperset(named)  # no class of which it is told what it shows
            and hint not in {"None", "bool"}
        ):
            masked = _masks(node) if masked is None else masked
            if masked:
                continue
            context.statement = field
            name = context.symbol_of(node.name)
            message = f"{node.name} has the field {field.target.id}"
            context.report(SECRET_OUT, field, message, needs=(("schema", node.name),), symbol=name)
    context.statement = statement
    context.fact("schema", node.name, " ".join(dict.fromkeys(parts)), node.lineno)


def _is_hidden(field: ast.AnnAssign, name: str, node: ast.ClassDef) -> bool:
    """True for a field that is left out or masked, and for one beside what stands for it from then on: an `api_key`
    with an `api_key_display` is given once, when it is made."""
    if field.value is not None and _LEFT_OUT.search(ast.unparse(field.value)):
        return True
    shown = {f"{name}_{how}" for how in ("display", "preview", "hint", "prefix")}
    return any(isinstance(part, ast.AnnAssign) and last_name(part.target) in shown for part in node.body)


def _masks(node: ast.ClassDef) -> bool:
    """True for a class with a method that masks: `cls(api_key=row.key(apply_mask=True))`."""
    return any(isinstance(part, FunctionNode) and _MASKS.search(ast.unparse(part)) for part in node.body)


def _has_field(node: ast.ClassDef, name: str) -> bool:
    """True where a class declares a field: beside a `client_id`, a `client_secret` is that of an OAuth client. Alone
    it is what a payment service gives for the browser of who pays."""
    return any(isinstance(field, ast.AnnAssign) and last_name(field.target) == name for field in node.body)


def _on_answer(node: FunctionNode, context: FileContext) -> None:
    """Says which classes an endpoint answers with (fact "answers"; detail "handed" where it may exist to hand out a
    token or key, "made up" where it makes one for who asks, "read" where it only reads)."""
    endpoint = endpoint_of(node, context)
    model = (endpoint.keywords.get("response_model") or node.returns) if endpoint is not None else None
    if endpoint is None or model is None:
        return
    said = f"{endpoint.path} {node.name}"
    handed = "handed" if PUBLIC.search(said) or _KEEPS.search(said) else "read" if endpoint.verb == "get" else ""
    if _MAKES_UP.search(said):
        handed = "made up"
    for part in descendants(model):
        name = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        if name[:1].isupper():
            context.fact("answers", name, handed, node.lineno)


def _secret_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    if not candidate.needs:
        return candidate  # a serializer says by itself that it is an answer
    name = candidate.needs[0][1]
    shared = len({(path, fact.detail) for path, fact in project.named("schema", name)}) > 1
    always = _NEVER_OUT.search(candidate.message.rpartition(" ")[2]) is not None
    answered = _answered_with(project, report.path if shared else "").get(name, ())
    for path, fact in answered:
        if fact.detail == "made up":
            return None
        if always or fact.detail == "read" or not (fact.detail or _TOKEN_MODELS.search(name)):
            said = f"an endpoint answers with {fact.name}"
            message = f"{candidate.message}, and {said}"
            return replace(candidate, message=message, evidence=(Evidence(path, fact.line, said),))
    if not always and (answered or (name.endswith(("Response", "Resp")) and project.facts("answers"))):
        return (
            None  # handed out on purpose; or the endpoints say what they answer with, and another service answers this
        )
    named_token = candidate.message.endswith(" token")  # of which there are many kinds
    if _OUT.search(name) and not named_token and (always or not _TOKEN_MODELS.search(name)):
        return replace(candidate, message=f"{candidate.message}, and its name says that it is an answer",
                       confidence="likely")  # fmt: skip
    return None


def _answered_with(project: Project, within: str) -> dict[str, list[Place]]:
    """Class → the places of the endpoints that answer with it: itself, a class below it, or one that has it in a
    field. Where several classes share a name, only one file is asked, `within`."""
    known = project.memo.setdefault(SECRET_OUT, {})
    assert isinstance(known, dict)
    if within in known:
        answers: dict[str, list[Place]] = known[within]
        return answers
    found: dict[str, list[Place]] = {}
    for path, fact in project.facts("answers"):
        if within and path != within:
            continue
        queue, seen = [fact.name], set()
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            found.setdefault(name, []).append((path, fact))
            places = [place for place in project.named("schema", name) if within in {"", place[0]}]
            if len({one.detail for _, one in places}) == 1:
                queue.extend(places[0][1].detail.split())
    known[within] = found
    return found


_SERIALIZER = (
    "from rest_framework import serializers\n\n\nclass MemberSerializer(serializers.ModelSerializer):\n"
    "    class Meta:\n        model = Member\n        fields = ['id', 'name', 'password']\n%s"
)


def _on_serializer(node: ast.ClassDef, context: FileContext) -> None:
    """A serializer of the REST framework that lists a password, or its hash, among its fields, and neither makes it
    `write_only` nor says anything else of what is shown: it is shown as the row has it."""
    if _SIGNS_IN.search(node.name):
        return  # what it is given
    listed = meta_value(node, "fields")
    if not isinstance(listed, (ast.List, ast.Tuple)) or any(getattr(part, "name", "") in _SHAPES for part in node.body):
        return
    for part in listed.elts:
        name = string_of(part) or ""
        if not (_SECRET_FIELD.match(name) and re.search(r"pass|pwd", name)) or _is_told_of(name, listed, node, context):
            continue
        if [context.resolve(base) for base in node.bases] != ["rest_framework.serializers.ModelSerializer"]:
            return
        context.report(SECRET_OUT, part, f"{node.name} shows the column {name}: it is not `write_only`",
                       confidence="likely")  # fmt: skip


_SIGNS_IN = lazy(r"Log_?[Ii]n|Sign_?[Ii]n|Authenticat|Credential")


# Methods of a serializer that choose what it shows.
_SHAPES = frozenset({"to_representation", "get_fields", "get_field_names", "get_extra_kwargs", "__init__", "data"})


def _is_told_of(name: str, listed: ast.expr, node: ast.ClassDef, context: FileContext) -> bool:
    """True where the class says more of a field than that it has it: gives it options, or declares it as one that is
    not shown or that the project has made itself."""
    own = set(descendants(listed))
    for part in node.body:
        if isinstance(part, ast.Assign) and last_name(part.targets[0]) == name:
            made = (context.resolve(part.value.func) or "") if isinstance(part.value, ast.Call) else ""
            return "write_only" in ast.unparse(part.value) or not made.startswith("rest_framework.serializers.")
        if not isinstance(part, FunctionNode) and any(
            isinstance(said, ast.Constant) and said.value == name and said not in own for said in descendants(part)
        ):
            return True
    return False


secret_in_response = Rule(
    name=SECRET_OUT,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F11", "PB-G3"),
    catches="Response models with a field `password`, `token`, `secret` or a hash, own or inherited; serializers of "
    "the REST framework that list a password and do not make it `write_only`.",
    why="A hash that leaves the server can be guessed at leisure; a token or secret is used at once.",
    fix="Answer with a model of its own that has only what the client needs.",
    when="Where an endpoint names the model, or one that has it in a field, or its name ends in `Out`, `Response` or "
    "`Read`. Endpoints that exist to hand out a token or key may answer with one, never with a password or a hash.",
    watches=(
        Watch((ast.ClassDef,), _on_schema, (b"pydantic", b"sqlmodel", b"BaseModel"), outside_tests),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_answer, FASTAPI, outside_tests),
        Watch((ast.ClassDef,), _on_serializer, (b"ModelSerializer",), outside_tests),
    ),
    holds=_secret_holds,
    bad=(
        Example({"shop/serializers.py": _SERIALIZER % ""}),
        Example({"shop/serializers.py": _SERIALIZER % "\n    password = serializers.CharField(min_length=12)\n"}),
        Example(
            {
                "shop/serializers.py": _SERIALIZER
                % "\n    def create(self, fields):\n        return Member.add(fields.pop('password'), **fields)\n"
            }
        ),
        Example(
            {
                "shop/schemas.py": "from pydantic import BaseModel\n\n\nclass UserBase(BaseModel):\n    name: str\n"
                "    hashed_password: str\n\n\nclass UserOut(UserBase):\n    id: int\n",
                "shop/routes.py": "from fastapi import APIRouter\n\n\n@router.get('/users')\n"
                "def users() -> list[UserOut]:\n"
                "    return everyone()\n",
            }
        ),
        Example(
            {
                "shop/routes.py": "from fastapi import APIRouter\nfrom pydantic import BaseModel\n\n\n"
                "class Member(BaseModel):\n    secret: str\n\n\nclass Club(BaseModel):\n    members: list[Member]\n"
                "\n\n@router.get('/clubs')\ndef clubs() -> list[Club]:\n    return everyone()\n",
            }
        ),
        *(
            Example({"shop/schemas.py": f"from pydantic import BaseModel\n\n\nclass UserOut(BaseModel):\n{fields}"})
            for fields in (
                "    password_hash: str\n",
                "    access_token: str\n",
                "    api_token: str | None\n",
                "    client_id: str\n    client_secret: str\n",
            )
        ),
        Example(
            {
                "shop/a.py": "from fastapi import APIRouter\nfrom pydantic import BaseModel\n\n\n"
                "class Member(BaseModel):\n    secret: str\n\n\n@router.get('/members')\n"
                "def members() -> list[Member]:\n    return everyone()\n",
                "shop/b.py": "from pydantic import BaseModel\n\n\nclass Member(BaseModel):\n    name: str\n",
            }
        ),
    ),
    good=(
        Example(
            {
                "shop/clients.py": "from pydantic import BaseModel\n\n\nclass RegisteredResponse(BaseModel):\n"
                "    client_id: str\n    client_secret: str\n",
                "shop/routes.py": "from fastapi import APIRouter\n\n\n@router.get('/users')\n"
                "def users() -> list[UserOut]:\n    return everyone()\n",
            },
            note="what another service answered",
        ),
        Example(
            {
                "shop/routes.py": "from fastapi import APIRouter\nfrom sqlmodel import Relationship, SQLModel\n\n\n"
                "class User(SQLModel, table=True):\n    password: str\n\n\nclass Order(SQLModel, table=True):\n"
                "    user: User = Relationship()\n\n\n@router.get('/orders')\ndef orders() -> list[Order]:\n"
                "    return everything()\n"
            },
            note="rows of another table are no part of an answer",
        ),
        *(
            Example({"shop/schemas.py": f"from pydantic import BaseModel\n\n\nclass UserOut(BaseModel):\n{fields}"})
            for fields in (
                "    api_key: KeyShown | None\n",
                "    access_token: str\n    token_type: str\n    refresh_token: str | None = None\n",
                '    api_key: str = Field(description="Masked")\n',
                "    api_key: str | None = None\n    api_key_display: str\n",
                "    api_key: str\n\n    @classmethod\n    def of(cls, row):\n"
                "        return cls(api_key=row.key(apply_mask=True))\n",
            )
        ),
        Example(
            {
                "shop/routes.py": "from fastapi import APIRouter\nfrom pydantic import BaseModel\n\n\n"
                "class UserOut(BaseModel):\n    access_token: str\n\n\n@router.post('/login')\n"
                "def enter() -> UserOut:\n    return entered()\n"
            }
        ),
        Example(
            {
                "shop/schemas.py": "from pydantic import BaseModel\n\n\nclass PaymentOut(BaseModel):\n    id: str\n"
                "    client_secret: str\n"
            }
        ),
        Example(
            {
                "shop/routes.py": "from fastapi import APIRouter\nfrom pydantic import BaseModel\n\n\n"
                "class PasswordResponse(BaseModel):\n    password: str\n\n\n@router.get('/generate-password')\n"
                "def generated() -> PasswordResponse:\n    return PasswordResponse(password=made())\n"
            }
        ),
        Example({"shop/serializers.py": _SERIALIZER.replace("MemberSer", "LoginSer") % ""}),
        Example({"shop/serializers.py": _SERIALIZER % "        extra_kwargs = {'password': {'write_only': True}}\n"}),
        Example({"shop/serializers.py": _SERIALIZER % "    password = serializers.CharField(write_only=True)\n"}),
        Example({"shop/serializers.py": _SERIALIZER.replace("password", "password_hint_shown") % ""}),
        Example({"shop/serializers.py": _SERIALIZER.replace("password", "metadata_key_hash") % ""}),
        Example(
            {
                "shop/schemas.py": "from pydantic import BaseModel\n\n\nclass UserIn(BaseModel):\n"
                "    password: str\n\n\n"
                "class UserOut(BaseModel):\n    name: str\n\n\nclass Token(BaseModel):\n    token: str\n",
                "shop/routes.py": "from fastapi import APIRouter\n\n\n@router.post('/users', response_model=UserOut)\n"
                "def join(user: UserIn):\n    return add(user)\n\n\n@router.post('/enter')\ndef enter() -> Token:\n"
                "    return token()\n",
            }
        ),
        Example(
            {
                "shop/schemas.py": "from pydantic import BaseModel\n\n\nclass Smith(BaseModel):\n"
                "    hashed_password: str\n\n\nclass Person(BaseModel):\n"
                "    name: Annotated[str, Field(examples=['Ann Smith'])]\n",
                "shop/routes.py": "from fastapi import APIRouter\n\n\n@router.get('/people')\n"
                "def people() -> list[Person]:\n    return everyone()\n",
            },
            note="a name in an example is no class",
        ),
    ),
)

RULES: tuple[Rule, ...] = (secret_in_response,)
