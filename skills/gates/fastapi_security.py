"""Rules of the skill fastapi-patterns about security: tokens, authentication, secrets in answers."""

import ast
import re
from dataclasses import replace

from skills.gates.context import FileContext, FunctionNode
from skills.gates.example_files import one_file
from skills.gates.fastapi_routes import FASTAPI, WRITING, endpoint_of, outside_tests, parameters
from skills.gates.model import Candidate, Evidence, FileReport
from skills.gates.names import last_name
from skills.gates.project import Project
from skills.gates.rule import Example, Rule, Watch
from skills.gates.syntax import descendants

SKILL = "fastapi-patterns"
JWT = "jwt-decode-unsafe"
NO_AUTH = "write-without-auth"
SECRET_OUT = "secret-in-response"

_AUTH = re.compile(
    r"auth|user|token|perm|admin|role|cred|api_?key|account|member|principal|identity|scope|require|verify|signature|secur"
    r"|subject|owner|tenant|current_|login|session_id|protect|guard|access|allowed",
    re.I,
)
_PUBLIC = re.compile(
    r"login|logout|log-in|sign-?(?:in|up|out)|token|regist|password|webhook|hook|callback|auth|health|ping|refresh|verify"
    r"|reset|recover|confirm|invite|otp|contact|public|subscribe|track|event|session",
    re.I,
)
_SECRET_FIELD = re.compile(
    r"^(?:password|passwd|hashed_password|password_hash|secret|secret_key|\w*_hash|token|\w*_secret)$"
)
_TOKEN_MODELS = re.compile(
    r"token|login|auth|session|credential|key|secret|created?|otp|invite|webhook|register|oauth", re.I
)


def _on_decode(node: ast.Call, context: FileContext) -> None:
    if last_name(node.func) != "decode" or context.resolve(node.func) not in {"jwt.decode", "jose.jwt.decode"}:
        return
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if None in given:
        return
    options = given.get("options")
    text = ast.unparse(options) if options is not None else ""
    verify = given.get("verify")
    if (isinstance(verify, ast.Constant) and verify.value is False) or re.search(r"'verify_signature': False", text):
        context.report(JWT, node, "the signature is not checked: whoever sends the token says who they are")
        return
    algorithms = given.get("algorithms") or (node.args[2] if len(node.args) > 2 else None)
    if algorithms is None:
        context.report(JWT, node, "no `algorithms=`: the token itself says how it is to be checked")
    elif "'none'" in ast.unparse(algorithms).lower():
        context.report(JWT, node, "the algorithm `none` accepts tokens that nobody signed")
    elif re.search(r"'verify_(?:exp|aud|iss)': False", text):
        context.report(JWT, node, "expiry, audience or issuer are not checked", severity="MEDIUM")
    elif not {"audience", "issuer"} & set(given) and not re.search(r"'require'|aud|iss", text):
        message = "neither `audience` nor `issuer` is checked: a token for another service is as good"
        context.report(JWT, node, message, severity="LOW", confidence="likely")


jwt_decode_unsafe = Rule(
    name=JWT,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F8",),
    catches="`jwt.decode` without `algorithms`, with the check of the signature or of claims switched off, with "
    "`none`, or "
    "without audience and issuer.",
    why="A token is worth as much as the check of its signature, and of whom it was made for.",
    fix='Pass `algorithms=["RS256"]` (what your issuer uses), `audience=` and `issuer=`, and leave verification on.',
    when="Wherever PyJWT or python-jose decodes, outside of tests.",
    watches=(Watch((ast.Call,), _on_decode, (b"jwt.decode", b"jwt import"), outside_tests),),
    bad=one_file(
        "shop/auth.py",
        "import jwt\n\nclaims = jwt.decode(token, key)\n",
        'import jwt\n\nclaims = jwt.decode(token, options={"verify_signature": False})\n',
        'from jose import jwt\n\nclaims = jwt.decode(token, key, algorithms=["none"])\n',
        'import jwt\n\nclaims = jwt.decode(token, key, algorithms=["HS256"])\n',
    ),
    good=one_file(
        "shop/auth.py",
        'import jwt\n\nclaims = jwt.decode(token, key, algorithms=["RS256"], audience="shop", issuer=ISSUER)\n',
        "text = base64.decode(data)\nclaims = jwt.decode(token, key, **options)\n",
    ),
)


def _guards(function: FunctionNode) -> str:
    """What the parameters of an endpoint say about who may call it."""
    words = []
    for parameter, default in parameters(function):
        hint = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
        given = ast.unparse(default) if default is not None else ""
        if re.search(r"Depends|Security|Header\(|Cookie\(", f"{hint} {given}"):
            words.append(f"{parameter.arg} {hint} {given}")
        elif hint and re.search(r"(?:User|Auth|Admin|Principal|Subject|Permission|Dep)\w*$|auth\.\w+", hint):
            words.append(f"auth {hint}")
    return " ".join(words)


def _on_writing(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None:
        return
    dependencies = endpoint.keywords.get("dependencies")
    said = f"{_guards(node)} {ast.unparse(dependencies) if dependencies is not None else ''}"
    guarded = bool(_AUTH.search(said)) or (dependencies is not None and not isinstance(dependencies, ast.List))
    others = " ".join(ast.unparse(item) for item in node.decorator_list if item is not endpoint.decorator)
    if guarded or _AUTH.search(others):
        context.fact("auth-dependency", endpoint.verb, "", 0)
        return
    if endpoint.verb not in WRITING or _PUBLIC.search(f"{endpoint.path} {node.name} {context.path.rpartition('/')[2]}"):
        return
    if any(last_name(part.func) == "verify" or _AUTH.search(last_name(part.func))
           for part in descendants(ast.Module(node.body, [])) if isinstance(part, ast.Call)):  # fmt: skip
        return
    needs = (("router", _module(context.path)),)
    message = f"the endpoint {node.name} changes something, and asks nobody who they are"
    symbol = f"{context.symbol}.{node.name}" if context.symbol else node.name
    context.report(NO_AUTH, node, message, needs=needs, symbol=symbol, confidence="likely")


def _module(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _on_router(node: ast.Call, context: FileContext) -> None:
    """Dependencies of a whole router or app, where it is made and where it is included."""
    name = last_name(node.func)
    if name not in {"APIRouter", "FastAPI", "include_router", "add_middleware"}:
        return
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name == "add_middleware" and node.args and _AUTH.search(last_name(node.args[0])):
        context.fact("guarded-router", "*")
    elif "dependencies" in given and _AUTH.search(ast.unparse(given["dependencies"])):
        if name == "include_router" and node.args:
            routed = ast.unparse(node.args[0])
            for word in re.findall(r"\w+", routed):
                context.fact("guarded-router", word)
        else:
            context.fact("guarded-router", "*" if name == "FastAPI" else _module(context.path))


def _auth_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    if project.has("guarded-router", "*"):
        return None
    folder = report.path.rpartition("/")[0].rpartition("/")[2]
    for word in (*(name for _, name in candidate.needs), folder):
        if project.has("guarded-router", word):
            return None
    known = project.facts("auth-dependency")
    if not known:
        return None
    text = "endpoints of this project ask who calls"
    return replace(candidate, evidence=(Evidence(known[0][0], max(1, known[0][1].line), text),))


write_without_auth = Rule(
    name=NO_AUTH,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F10",),
    catches="POST, PUT, PATCH and DELETE endpoints without a dependency that says who calls.",
    why="Every other endpoint was thought through; this one is found by whoever reads the OpenAPI document.",
    fix="Take the current user as a dependency (`user: CurrentUser`), or give the router `dependencies=[Depends(…)]`.",
    when="In projects where other endpoints have such a dependency. Login, registration, webhooks, health and "
    "the like are "
    "left out, and routers and apps that have dependencies or an authentication middleware as a whole.",
    watches=(
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_writing, FASTAPI, outside_tests),
        Watch((ast.Call,), _on_router, FASTAPI, outside_tests),
    ),
    holds=_auth_holds,
    bad=one_file(
        "shop/orders.py",
        "from fastapi import Depends\n\n\n@router.get('/orders')\n"
        "def mine(user: User = Depends(get_current_user)) -> X:\n"
        "    return orders_of(user)\n\n\n@router.delete('/orders/{id}')\ndef drop(id: int) -> None:\n"
        "    orders.drop(id)\n",
    ),
    good=(
        *one_file(
            "shop/orders.py",
            "from fastapi import Depends\n\n\n@router.post('/orders')\n"
            "def place(order: OrderIn, user: User = Depends(get_current_user)) -> None:\n"
            "    orders.place(user, order)\n\n\n"
            "@router.post('/login')\ndef enter(form: Form) -> Token:\n    return token_for(form)\n",
            "from fastapi import APIRouter\n\n\n@router.post('/orders')\ndef place(order: OrderIn) -> None:\n"
            "    pass\n",
        ),
        Example(
            {
                "shop/orders.py": "from fastapi import APIRouter\n\n\n@router.post('/orders')\n"
                "def place(o: In) -> None:\n"
                "    pass\n\n\n@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
                "shop/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n"
                "app.include_router(orders.router, dependencies=[Depends(current_user)])\n",
            }
        ),
    ),
)


def _on_schema(node: ast.ClassDef, context: FileContext) -> None:
    """Says which classes have bases, and which fields of theirs are secrets."""
    if not node.bases:
        return
    secrets = []
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            hidden = statement.value is not None and re.search(r"exclude=True|repr=False", ast.unparse(statement.value))
            masked = "Secret" in ast.unparse(statement.annotation) or ast.unparse(statement.annotation) == "None"
            if _SECRET_FIELD.match(statement.target.id) and not hidden and not masked:
                secrets.append(statement.target.id)
    bases = " ".join(name for name in (last_name(base) for base in node.bases) if name)
    context.fact("schema", node.name, f"{','.join(secrets)}|{bases}", node.lineno)


def _on_answer(node: FunctionNode, context: FileContext) -> None:
    endpoint = endpoint_of(node, context)
    if endpoint is None:
        return
    model = endpoint.keywords.get("response_model") or node.returns
    if model is None or _PUBLIC.search(f"{endpoint.path} {node.name}"):
        return
    for part in descendants(model):
        name = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        if name[:1].isupper() and not _TOKEN_MODELS.search(name):
            symbol = f"{context.symbol}.{node.name}" if context.symbol else node.name
            context.report(SECRET_OUT, node, f"{node.name} answers {name}", needs=(("schema", name),), symbol=symbol)


def _secret_holds(candidate: Candidate, report: FileReport, project: Project) -> Candidate | None:
    queue, seen = [name for _, name in candidate.needs], set()
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        places = project.named("schema", name)
        if len({fact.detail for _, fact in places}) > 1:
            return None
        for path, fact in places[:1]:
            fields, _, bases = fact.detail.partition("|")
            if fields:
                text = f"{name} has the field {fields.split(',')[0]}"
                return replace(
                    candidate, message=f"{candidate.message}: {text}", evidence=(Evidence(path, fact.line, text),)
                )
            queue.extend(bases.split())
    return None


secret_in_response = Rule(
    name=SECRET_OUT,
    gate="P1",
    severity="HIGH",
    skill=SKILL,
    sources=("PB-F11", "PB-G3"),
    catches="Models of answers with a field `password`, `token`, `secret` or a hash, own or inherited.",
    why="A hash that leaves the server can be guessed at leisure; a token or secret is used at once.",
    fix="Answer with a model of its own that has only what the client needs.",
    when="Where an endpoint names the model. Endpoints that exist to hand out a token or key are left out.",
    watches=(
        Watch((ast.ClassDef,), _on_schema, (b"pydantic", b"sqlmodel", b"BaseModel"), outside_tests),
        Watch((ast.FunctionDef, ast.AsyncFunctionDef), _on_answer, FASTAPI, outside_tests),
    ),
    holds=_secret_holds,
    bad=(
        Example(
            {
                "shop/schemas.py": "from pydantic import BaseModel\n\n\nclass UserBase(BaseModel):\n    name: str\n"
                "    hashed_password: str\n\n\nclass UserOut(UserBase):\n    id: int\n",
                "shop/routes.py": "from fastapi import APIRouter\n\n\n@router.get('/users')\n"
                "def users() -> list[UserOut]:\n"
                "    return everyone()\n",
            }
        ),
    ),
    good=(
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
    ),
)

RULES: tuple[Rule, ...] = (jwt_decode_unsafe, write_without_auth, secret_in_response)
