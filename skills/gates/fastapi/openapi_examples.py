"""What the rule openapi-drift finds, and what it leaves alone."""

from skills.gates.rule import Example

_API = (
    "from fastapi import APIRouter\n\nrouter = APIRouter(prefix='/orders')\n\n\n@router.get('/{pk}')\ndef one(pk: "
    "int): ...\n\n\n"
    "@router.post('/', status_code=201)\ndef add(order: Order): ...\n"
)
_REST = {
    "shop/urls.py": "from rest_framework.routers import DefaultRouter\n\nrouter = DefaultRouter()\n"
    "router.register('orders', OrderViewSet)\nurlpatterns = [path('api/', include(router.urls))]\n",
    "shop/views.py": "from rest_framework.viewsets import ModelViewSet\n\n\nclass OrderViewSet(ModelViewSet):\n"
    "    http_method_names = ['get']\n\n    @action(detail=True, methods=['post'])\n    def pay(self, request, pk): "
    "...\n",
}


def _schema(*operations: str) -> str:
    """A document of "get /orders 200" lines."""
    lines, last = ["openapi: 3.0.3", "info:", "  title: Shop", "paths:"], ""
    for operation in operations:
        method, path, code = operation.split()
        if path != last:
            lines.append(f"  {path}:")
        last = path
        lines += [f"    {method}:", "      responses:", f"        '{code}':", "          description: ''"]
    return "\n".join([*lines, "components:", "  schemas: {}", ""])


_MOUNTED = {
    "shop/carts.py": "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.post('')\ndef add(): ...\n\n\n"
    "@router.put('/{pk}')\ndef one(pk: int): ...\n",
    "shop/main.py": "from shop import carts\n\napp.include_router(carts.router, prefix='/api/v1/carts')\n",
}


def _fielded(model: str, required: str, fields: str = "title body", name: str = "OrderIn") -> Example:
    """A model of the code, and one of the schema with its fields and those that it requires."""
    head = "from fastapi import APIRouter\nfrom pydantic import BaseModel, Field\n\nrouter = APIRouter()\n\n\n"
    route = f"\n\n\n@router.post('/orders')\ndef add(order: {name}): ...\n"
    said = "".join(f"        {field}: {{type: string}}\n" for field in fields.split())
    models = f"    {name}:\n      type: object\n      required: [{required}]\n      properties:\n{said}"
    schema = _schema("post /orders 200").replace("  schemas: {}\n", f"  schemas:\n{models}")
    return Example({"shop/api.py": head + model + route}, schema=schema)


DRIFT_BAD: tuple[Example, ...] = (
    Example(
        {
            "shop/api.py": "from fastapi import FastAPI\n\nouter = FastAPI()\napp = FastAPI()\n"
            "outer.mount('/api', app)\n\n\n"
            "@app.get('/orders')\ndef orders(): ...\n\n\n@app.post('/carts')\ndef carts(): ...\n"
        },
        schema=_schema("get /orders 200", "put /carts 200"),
        note="the schema of an application that is mounted",
    ),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    body: str = Field(min_length=1)", "title"),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    body: str = ''", "title, body"),
    _fielded("class OrderIn(BaseModel):\n    title: str", "title, body"),
    _fielded("class Base(BaseModel):\n    body: str\n\n\nclass OrderIn(Base):\n    title: str", "title"),
    Example(
        {
            "shop/urls.py": "urlpatterns = [path('orders/', add)]\n",
            "shop/views.py": "@api_view(['POST'])\ndef add(request): ...\n",
            "shop/serializers.py": "from rest_framework import serializers\n\n\n"
            "class OrderSerializer(\n    serializers.Serializer\n):\n"
            "    pk = serializers.IntegerField(read_only=True)\n"
            "    dueDate = serializers.DateField()\n    title = serializers.CharField()\n",
        },
        schema=_schema("post /orders/ 200").replace("  schemas: {}\n", "  schemas:\n    Order:\n      required:\n"
        "      - title\n      properties:\n        title: {}\n        pk:\n          type: integer\n"),
    ),
    Example(_MOUNTED, schema=_schema("post /carts 201", "put /carts/{id} 200")),
    Example(_MOUNTED, schema=_schema("post /carts 200", "patch /carts/{id} 200")),
    Example({"shop/api.py": _API}, schema=_schema("get /v1/orders/{id} 200")),
    Example({"shop/api.py": _API}, schema=_schema("get /orders/{id} 200", "post /orders 200")),
    Example({"shop/api.py": _API}, schema=_schema("get /orders/{id} 204", "post /orders 201")),
    Example({"shop/api.py": _API.replace("post('/'", "api_route('/', methods=['GET', 'POST']")},
        schema=_schema("get /orders/{id} 200", "post /orders 201")),
    Example({"shop/api.py": _API.replace("router", "orders")}, schema=_schema("get /orders/{id} 200")),
    Example({"shop/api.py": _API}, schema=_schema("get /orders/{id} 200", "post /orders 201", "get /gone 200")),
    Example({"shop/api.py": _API}, schema="paths:\n  /orders/{id}:\n    get: {responses: {'204': {}}}\n"
        "  /orders:\n    post: {responses: {'201': {}}}\n"),
    Example({"shop/api.py": _API}, schema=_schema("get /orders/{id} 200", "delete /orders/{id} 204", "post "
    "/orders 201")),
    Example(_REST, schema=_schema("get /api/orders/ 200", "get /api/orders/{id}/ 200")),
    Example(_REST, schema=_schema(
        "get /api/orders/ 200", "post /api/orders/ 201", "get /api/orders/{id}/ 200", "post "
        "/api/orders/{id}/pay/ 200")),
)  # fmt: skip

DRIFT_GOOD: tuple[Example, ...] = (
    Example(
        {
            "shop/api.py": "from fastapi import APIRouter, FastAPI\nfrom fastapi.responses import RedirectResponse\n\n"
            "app = FastAPI()\ninner = FastAPI()\ntold = APIRouter()\n\n\n"
            "@told.post('{$body.url}/paid')\ndef paid(): ...\n\n\n"
            "@app.post('/orders', callbacks=told.routes)\ndef add(): ...\n\n\n"
            "@app.get('/latest', response_class=RedirectResponse)\ndef latest(): ...\n\n\n"
            "@inner.get('/health')\ndef health(): ...\n\n\napp.mount('/inner', inner)\n"
        },
        schema=_schema("post /orders 200", "get /latest 307"),
        note="what callers answer, a redirect, and an application with a schema of its own",
    ),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    body: str = ''", "title"),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    dueOn: str", "title, dueOn", "title dueOn"),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    due_on: str", "title, dueOn", "title dueOn"),
    _fielded("class OrderOut(BaseModel):\n    title: str\n    body: str = ''", "title, body", name="OrderOut"),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    body: str | None", "title"),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    text: str = Field(alias='body')", "title, body"),
    _fielded("class OrderIn(Shared):\n    title: str", "title, body"),
    _fielded("class OrderIn(BaseModel):\n    title: str\n    body: str", ""),
    Example(_MOUNTED, schema=_schema("post /carts 200", "put /carts/{id} 200")),
    Example(_MOUNTED, schema=_schema("post /api/v1/carts 200", "put /api/v1/carts/{id} 200")),
    Example({"shop/api.py": _API}, schema=_schema("get /v1/orders/{id} 200", "post /v1/orders 201")),
    Example(_REST, schema=_schema(
        "get /api/orders/ 200", "get /api/orders/{id}/ 200", "post /api/orders/{id}/pay/ 200")),
    Example({"shop/api.py": _API}),
    Example({"shop/api.py": _API}, schema=_schema("get /orders/{id} 2XX", "post /orders default")),
    Example({"shop/api.py": _API}, schema="paths:\n  /orders/{id}:\n    get: {responses: {'200': {}}}\n"
        "  /orders:\n    post: {responses: {'201': {}}}\n"),
    Example({"shop/api.py": _API}, schema=_schema("get /users 200", "get /teams 200", "get /orders/{id} 200")),
    Example({"shop/api.py": _API, "shop/carts.py": "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
        "@router.get('')\ndef carts(): ...\n", "shop/main.py":
        "app.include_router(carts.router, prefix='/carts')\n"},
        schema=_schema("get /orders/{id} 200", "post /orders 201", "get /carts 200"),
        note="the root of a router that is mounted elsewhere"),
    Example({**_REST, "shop/more.py": "urlpatterns = [path('in/', include('djoser.urls')), "
        "path('live/', Live.as_view())]\n\n\nclass Live(TemplateView):\n    pass\n\n\nimport rest_framework\n"},
        schema=_schema("get /api/orders/ 200", "get /api/orders/{id}/ 200", "post /api/orders/{id}/pay/ 200",
        "get /in/me/ 200"), note="routes of a package, and a page that is none of the REST framework's"),
    Example({path: source.replace("detail=True, methods=['post']", "['post'], detail=True")
        for path, source in _REST.items()}, schema=_schema(
        "get /api/orders/ 200", "get /api/orders/{id}/ 200", "post /api/orders/{id}/pay/ 200")),
    Example({"shop/api.py": _API + "\n\nif OPEN:\n    router.post('/join')(add)\n"},
        schema=_schema("get /orders/{id} 200", "post /orders 201", "post /orders/join 200")),
    Example({"shop/urls.py": "urlpatterns = [path('orders/', add)]\n", "shop/views.py":
        "from rest_framework.decorators import api_view\n\n\n@api_view(http_method_names=['POST'])\n"
        "def add(request): ...\n"}, schema=_schema("post /orders/ 201")),
)  # fmt: skip
