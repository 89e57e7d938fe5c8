"""Examples of the rule write-without-auth: endpoints that ask who calls, and some that do not."""

from skills.gates.example_files import one_file
from skills.gates.rule import Example

_ALIAS = "from fastapi import Depends\n\nMe = Annotated[Owner, Depends(current_owner)]\n"
_ALIASED = (
    "from fastapi import APIRouter\nfrom shop.deps import Me\n\n\n@router.get('/pets')\n"
    "def mine(me: Me) -> X:\n    pass\n\n\n@router.delete('/pets/{id}')\n"
    "def drop(id: int) -> None:\n    pets.drop(id)\n"
)
_CLASS = (
    "from fastapi import Depends\n\n\nclass Holder:\n    def __init__(self, kinds):\n        self.kinds = kinds\n\n"
    "    def __call__(self, id: int, visitor: Visitor = Depends(visitor)) -> Shop:\n"
    "        if visitor.kind not in self.kinds:\n            raise {error}\n        return visitor.shop\n\n\n"
    "holder = Holder(['first'])\nShopDep = Annotated[Shop, Depends(holder)]\n"
)
_BY_CLASS = (
    "from fastapi import APIRouter, Depends\nfrom shop.deps import ShopDep\n\n\n@router.get('/pets')\n"
    "def mine(who: User = Depends(get_current_user)) -> X:\n    pass\n\n\n@router.delete('/pets/{id}')\n"
    "def drop(id: int, shop: ShopDep) -> None:\n    pets.drop(id)\n"
)
_BY_ANY_NAME = {
    "shop/caller.py": "from typing import Annotated\n\nfrom fastapi import Depends, HTTPException\n\n\n"
    "def me(key=Depends(bearer)):\n    if not key:\n        raise HTTPException(401)\n    return key\n\n\n"
    "Me = Annotated[str, Depends(me)]\n",
    "shop/paid.py": "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
    "@router.get('/paid')\ndef paid(who: Me) -> None:\n    pass\n",
}
BAD = (
    Example({"shop/deps.py": _CLASS.format(error="KeyError"), "shop/pets.py": _BY_CLASS}),
    Example({"shop/deps.py": _ALIAS, "shop/pets.py": _ALIASED}),
    *one_file(
        "shop/orders.py",
        "from fastapi import APIRouter, Depends\n\nUser = Annotated[str, Depends(get_current_user)]\n\n\n"
        "@router.get('/orders')\ndef mine(user: User) -> X:\n    pass\n\n\n"
        "@router.delete('/orders/{id}')\ndef drop(id: int) -> None:\n    orders.drop(id)\n",
        "from fastapi import Depends\n\n\n@router.get('/orders')\n"
        "def mine(user: User = Depends(get_current_user)) -> X:\n"
        "    return orders_of(user)\n\n\n@router.delete('/orders/{id}')\ndef drop(id: int) -> None:\n"
        "    orders.drop(id)\n",
        "from fastapi import APIRouter, Depends\n\n\n@router.get('/users')\n"
        "def me(user: User = Depends(get_current_user)) -> X:\n    pass\n\n\n@router.post('/users')\n"
        "def add(body: UserIn, people: UserService = Depends(get_user_service)) -> None:\n"
        "    people.create_user(body)\n",
        "from fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n"
        "staff = APIRouter(dependencies=[Depends(current_user)])\n\n\n@router.get('/orders')\n"
        "def mine(user: User = Depends(get_current_user)) -> X:\n    pass\n\n\n@router.delete('/orders/{id}')\n"
        "def drop(id: int) -> None:\n    orders.drop(id)\n",
    ),
    Example(
        {
            "shop/orders.py": "from fastapi import APIRouter\n\n\n@router.post('/orders')\n"
            "def place(o: In) -> None:\n    pass\n\n\n"
            "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
            "billing/main.py": "from fastapi import FastAPI\n\napp = FastAPI(dependencies=[Depends(get_user)])\n",
        }
    ),
)

_ASKED = "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n\n\n"
_APP = "from fastapi import Depends, FastAPI\n\napp = FastAPI()\n\n\n"
_WORKER = _APP + "@app.post('/work')\ndef work(o: In) -> None:\n    pass\n"
_FRONT = _APP + _ASKED.replace("@router", "@app")
_ORDERS = (
    "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
    + _ASKED
    + ("@router.post('/orders')\ndef place(o: In) -> None:\n    pass\n")
)
_ACCOUNT = _ORDERS.replace("def place", "def create_user")
_COMPARED = "    till = db.query(Till).filter(Till.token == o.token).one()\n    till.place(o)\n"
_MIDDLEWARE = (
    "from starlette.middleware.base import BaseHTTPMiddleware\n\n\nclass Gate(BaseHTTPMiddleware):\n"
    "    async def dispatch(self, request, call_next):\n"
    "        if request.headers.get('Authorization') != KEY:\n"
    "            return JSONResponse({}, status_code=401)\n        return await call_next(request)\n"
)
_MAIN = (
    "from fastapi import FastAPI\nfrom orders.views import router\nfrom web.middle import Gate\n\n"
    "app = FastAPI()\napp.add_middleware(Gate)\napp.include_router(router)\n"
)
_IN_MAIN = (
    _MAIN.replace("app.add_middleware(Gate)\n", "")
    + "\n\n@app.middleware('http')\nasync def gate(request, call_next):\n"
    + "    if request.headers.get('Authorization') != KEY:\n        return JSONResponse({}, status_code=401)\n"
    + "    return await call_next(request)\n"
)
_AT_HOME = "from orders.views import router\n\nif settings.ENVIRONMENT == 'local':\n    app.include_router(router)\n"
_HANDED = (
    "from fastapi import Depends, Request\n\nfrom shop.tills import till\n\n\n" + _ASKED
    + "@router.post('/orders')\ndef place(o: In, request: Request) -> None:\n    orders.place(o, till(request))\n"
)  # fmt: skip
_FROM_TILL = (
    "from fastapi import HTTPException, Request\n\n\ndef till(request: Request) -> int:\n"
    "    if not request.headers.get('key'):\n        raise HTTPException(401)\n    return 1\n"
)
BAD += (
    Example({"shop/orders.py": _ORDERS.replace("    pass\n", _COMPARED.replace("token", "shelf"))}),
    Example({"shop/front.py": _FRONT + _WORKER[len(_APP) :]}),
    Example({"shop/orders.py": _ACCOUNT + "\n\n@router.post('/signup')\ndef signup(o: In) -> None:\n    pass\n"}),
    Example(
        {
            "web/main.py": _MAIN,
            "orders/views.py": _ORDERS,
            "web/middle.py": _MIDDLEWARE.replace("401", "403").replace("Authorization", "Accept"),
        }
    ),
    Example({"web/main.py": _AT_HOME.replace("==", "!="), "orders/views.py": _ORDERS}),
    *(
        Example({f"shop/{words}s.py": _ORDERS.replace("orders", f"{words}s").replace("place", f"add_{words}")})
        for words in ("event", "session", "author", "mapping", "contact")
    ),
    Example({"shop/orders.py": _HANDED, "shop/tills.py": _FROM_TILL.replace("401", "404")}),
    Example(
        {
            "shop/orders.py": _ORDERS.replace("APIRouter()", "APIRouter(dependencies=[Depends(till)])"),
            "shop/tills.py": _FROM_TILL.replace("401", "404"),
        }
    ),
    Example({"shop/main.py": _APP + "staff = FastAPI(dependencies=[Depends(get_user)])\n", "shop/orders.py": _ORDERS}),
    Example(
        {
            "shop/main.py": "from shop import orders\n\napp.include_router(orders.router)\n"
            "app.include_router(orders.staff_router, dependencies=[Depends(get_user)])\n",
            "shop/orders.py": _ORDERS,
        }
    ),
    Example(
        {**_BY_ANY_NAME, "shop/orders.py": _ORDERS.replace(_ASKED, "")}, note="a name that asks for itself who calls"
    ),
)

GOOD = (
    Example(
        {
            "shop/deps.py": _CLASS.format(error="HTTPException(status_code=403)"),
            "shop/pet.py": "from fastapi import Depends\nfrom shop.deps import ShopDep\n\n\n"
            "def one_pet(id: int, shop: ShopDep) -> Pet:\n    return shop.pets[id]\n\n\n"
            "PetDep = Annotated[Pet, Depends(one_pet)]\n",
            "shop/pets.py": _BY_CLASS.replace("shop.deps import ShopDep", "shop.pet import PetDep").replace(
                "shop: ShopDep", "pet: PetDep"
            ),
        },
        note="what it depends on depends on who asks",
    ),
    Example(
        {"shop/deps.py": _CLASS.format(error="HTTPException(status_code=403)"), "shop/pets.py": _BY_CLASS},
        note="the object that it depends on turns strangers away",
    ),
    Example({"shop/front.py": _FRONT, "shop/worker.py": _WORKER}, note="an app beside another one"),
    Example({"shop/orders.py": _ORDERS.replace("    pass\n", _COMPARED)}, note="a secret that is sent"),
    Example({"shop/orders.py": _ORDERS.replace("def place", "def join_waitlist")}),
    Example({"shop/orders.py": _HANDED, "shop/tills.py": _FROM_TILL}, note="what it hands the request to asks"),
    *(
        Example({"shop/orders.py": _ORDERS.replace("/orders", path).replace("place", name)})
        for path, name in (
            ("/events", "track_event"),
            ("/log-in", "enter"),
            ("/paid/web-hook", "paid"),
            ("/contact", "send_message"),
        )
    ),
    Example({"shop/orders.py": _ACCOUNT}, note="how one comes to an account"),
    Example({"web/main.py": _MAIN, "orders/views.py": _ORDERS, "web/middle.py": _MIDDLEWARE}),
    Example({"web/main.py": _IN_MAIN, "orders/views.py": _ORDERS}),
    Example({"web/main.py": _AT_HOME, "orders/views.py": _ORDERS}),
    Example({"shop/deps.py": _ALIAS, "shop/pets.py": _ALIASED.replace("id: int", "id: int, me: Me")}),
    Example({"shop/deps.py": _ALIAS.replace("current_owner", "settings"), "shop/pets.py": _ALIASED}),
    Example(
        {
            "shop/orders.py": _ORDERS.replace("APIRouter()", "APIRouter(dependencies=[Depends(till)])"),
            "shop/tills.py": _FROM_TILL,
        },
        note="what its router depends on turns strangers away",
    ),
    *one_file(
        "shop/orders.py",
        "from fastapi import APIRouter, Depends\n\nasked = [Depends(get_current_user)]\n"
        "router = APIRouter(dependencies=asked)\n\n\n"
        "@router.post('/orders')\ndef place(o: In) -> None:\n    pass\n\n\n"
        "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
        "from fastapi import APIRouter, Depends\n\n\n@router.get('/orders')\n"
        "def mine(user: User = Depends(get_current_user)) -> X:\n    return orders_of(user)\n\n\n"
        "@router.post('/conversion')\ndef in_euros(sum: Sum) -> Sum:\n    return converted(sum)\n",
        "from fastapi import APIRouter, Depends\n\n\ndef who(given: Annotated[str, Depends(token_of)]) -> str:\n"
        "    return given\n\n\nWho = Annotated[str, Depends(who)]\n\n\n@router.post('/orders')\n"
        "def place(o: In, who: Who) -> None:\n    pass\n\n\n@router.get('/x')\n"
        "def x(user: User = Depends(get_user)) -> None:\n    pass\n",
        "from fastapi import APIRouter\n\nstaff = APIRouter(dependencies=[Depends(current_user)])\n"
        "open_router = APIRouter()\n\n\n@staff.post('/orders')\ndef place(o: In) -> None:\n    pass\n\n\n"
        "@open_router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
    ),
    *one_file(
        "shop/orders.py",
        "from fastapi import Depends\n\n\n@router.post('/orders')\n"
        "def place(order: OrderIn, user: User = Depends(get_current_user)) -> None:\n"
        "    orders.place(user, order)\n\n\n"
        "@router.post('/login')\ndef enter(form: Form) -> Token:\n    return token_for(form)\n",
        "from fastapi import APIRouter\n\n\n@router.post('/orders')\ndef place(order: OrderIn) -> None:\n    pass\n",
    ),
    *one_file(
        "shop/orders.py",
        "from fastapi import Depends\n\n\ndef from_till(request: Request) -> None:\n"
        "    if request.headers.get('Authorization') != TILL:\n        raise HTTPException(status_code=403)\n\n\n"
        "@router.post('/orders')\ndef place(o: In, _: None = Depends(from_till)) -> None:\n    pass\n\n\n"
        "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
        "from fastapi import Depends\n\n\n@router.post('/orders')\ndef place(o: In) -> None:\n"
        '    """Auth: the number of the order, which is used once."""\n\n\n'
        "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
    ),
    Example(
        {
            "shop/orders.py": "from fastapi import APIRouter\n\n\n@router.get('/x')\n"
            "def x(user: User = Depends(get_user)) -> None:\n    pass\n",
            "shop/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "scales/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "scales/weight.py": "from fastapi import APIRouter\n\n\n@router.post('/weight')\n"
            "def weigh(o: In) -> None:\n    pass\n",
        },
        note="another app of the repository",
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
    Example(
        {
            "shop/orders.py": "from fastapi import APIRouter\n\n\n@router.post('/orders')\n"
            "def place(o: In) -> None:\n"
            "    pass\n\n\n@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
            "shop/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.middleware('http')\n"
            "async def check_token(request, call_next):\n    return await call_next(request)\n",
        }
    ),
    Example(
        {
            "shop/api/orders.py": "from fastapi import APIRouter\n\n\n@router.post('/orders')\n"
            "def place(o: In) -> None:\n    pass\n\n\n"
            "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
            "shop/core/main.py": "from fastapi import FastAPI\n\napp = FastAPI(dependencies=[Depends(get_user)])\n",
        }
    ),
    Example(
        {
            "src/shop/orders/views.py": "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
            "@router.post('/orders')\ndef place(o: In) -> None:\n    pass\n\n\n"
            "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
            "src/shop/api.py": "from fastapi import APIRouter, Depends\n\n"
            "from shop.orders.views import router as orders_router\n\ninner = APIRouter()\n"
            "inner.include_router(orders_router, prefix='/orders')\napi = APIRouter()\n"
            "api.include_router(inner, dependencies=[Depends(current_user)])\n",
        }
    ),
    Example(
        {
            "shop/orders.py": "from fastapi import APIRouter, Depends\n\n\ndef service(user=Depends(get_user)):\n"
            "    return Orders(user)\n\n\n@router.post('/orders')\n"
            "def place(o: In, orders=Depends(service)) -> None:\n    orders.place(o)\n\n\n"
            "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
        }
    ),
    Example(
        {
            "shop/base.py": "from fastapi import Depends\n\n\nclass UserPages:\n"
            "    user: User = Depends(get_current_user)\n",
            "shop/orders.py": "from fastapi import APIRouter, Depends\n\nfrom shop.base import UserPages\n\n"
            "router = APIRouter()\n\n\n@pages(router)\nclass OrderPages(UserPages):\n"
            "    @router.post('/orders')\n    def place(self, o: In) -> None:\n        pass\n\n\n"
            "@router.get('/x')\ndef x(user: User = Depends(get_user)) -> None:\n    pass\n",
        }
    ),
    Example(
        {
            **_BY_ANY_NAME,
            "shop/orders.py": _ORDERS.replace(_ASKED, "").replace("()", "(dependencies=[Depends(me)])", 1),
        }
    ),
)
