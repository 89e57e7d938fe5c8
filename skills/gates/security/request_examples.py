"""What unvalidated-input and mass-assignment find, and what they leave alone."""

from skills.gates.example_files import one_file

_HEAD = "from django.http import *\n\n\ndef view(request):\n"

_TAKES = "from fastapi import APIRouter, UploadFile\n\n\n@router.post('/bills')\ndef keep(bill: UploadFile) -> None:\n"
_WHERE = (
    "from fastapi import APIRouter\nfrom pydantic import BaseModel\n\n\nclass Bill(BaseModel):\n    path: str%s\n\n\n"
    "@router.post('/bills')\ndef keep(bill: Bill) -> None:\n    %s\n"
)

INPUT_BAD = one_file(
    "shop/views.py",
    _HEAD + '    return HttpResponseRedirect(resolve_url(request.GET.get("next", "home")))\n',
    _HEAD + '    known = {}\n    kind = request.GET["kind"]\n    known[kind] = known[kind] + 1\n    open(kind)\n',
    _HEAD + '    url = request.GET["url"]\n    url += "&again=1"\n    return HttpResponseRedirect(url)\n',
    "from configparser import ConfigParser\n" + _HEAD + "    given = ConfigParser()\n"
    '    given.read_string(request.POST["options"])\n    open(given.get("shop", "path"))\n',
    "from flask import request\nfrom markupsafe import Markup\n\n\n@app.route('/name')\ndef name():\n"
    "    return '<b>{}</b>'.format(request.args['name'])\n",
    "from sqlalchemy import literal_column\n" + _HEAD + '    session.query(literal_column(request.GET["by"]))\n',
    _HEAD + '    order.note, order.kind = request.POST["note"], 1\n    order.save()\n',
    "import requests\n" + _HEAD + '    url = request.GET["url"]\n    host = urlsplit(url).hostname\n'
    "    note(host)\n    requests.get(url)\n",
    _TAKES + '    with open(f"/srv/{bill.filename}", "wb") as kept:\n        kept.write(bill.file.read())\n',
    _TAKES + "    if bill.size > LIMIT:\n        raise TooLarge\n    open(os.path.join('/srv', bill.filename), 'wb')\n",
    _TAKES.replace("bill: UploadFile", "bills: list[UploadFile]")
    + "    for bill in bills:\n        open('/srv/' + bill.filename, 'wb')\n",
    _WHERE % ("", "shutil.rmtree(ROOT / bill.path)"),
    _WHERE % (" | None = None", "requests.get(bill.path)"),
    _HEAD + '    Order.objects.create(note=request.POST["note"])\n',
    _HEAD + '    rows = Order.objects.filter(pk=request.GET.get("pk"))\n',
    _HEAD + '    name = request.GET["file"]\n    with open(f"/srv/{name}") as file:\n        return file.read()\n',
    _HEAD + '    return HttpResponse("Hello " + request.GET["name"])\n',
    _HEAD + '    return HttpResponseRedirect(request.GET.get("next"))\n',
    _HEAD + '    site = request.GET["site"]\n    return HttpResponseRedirect(f"{site}/reset/{token}")\n',
    _HEAD + '    order.note = request.POST["note"]\n    order.save()\n',
    _HEAD + '    tags = request.POST.getlist("tags")\n    for tag in tags:\n        count(tag)\n'
    "    order.tags = tags\n    order.save()\n",
    _HEAD + '    return open(request.GET["path"][:80])\n',
    _HEAD + '    path = request.GET["path"]\n    if not os.path.exists(path):\n        raise Http404\n'
    "    return open(path)\n",
    _HEAD + '    if form.is_valid():\n        send(request.POST["mail"])\n',
    "import os\n" + _HEAD + '    os.system("ping " + request.POST.get("host"))\n',
    _HEAD + '    if request.data["owner"]["kind"] in KINDS:\n        order.note = request.data["owner"]["note"]\n'
    "    order.save()\n",
    _HEAD + '    request.user.profile.note = request.POST["note"]\n    request.user.profile.save()\n',
    "import os\nimport re\n" + _HEAD + '    host = re.sub("^https?://", "", request.POST["host"])\n'
    '    os.system("ping " + host)\n',
    "class Rates(APIView):\n    def post(self, request):\n        return Response(eval(self.request.data['rate']))\n",
    "import flask\nimport os\n\n\ndef ping():\n    os.system('ping ' + flask.request.args['host'])\n",
    _HEAD + '    link = "<a href=/%s>more</a>"\n    return render(request, "a.html", {"a": link % request.GET["a"]})\n',
    "import asyncio\n\n\nasync def run(request):\n    await asyncio.to_thread(eval, request.GET['sum'])\n",
    "import subprocess\n" + _HEAD + '    subprocess.run(["bash", "-c", request.GET["host"]])\n',
    "import subprocess\n" + _HEAD + '    subprocess.run([request.GET["tool"], "--version"])\n',
    "import requests\nfrom flask import request\n\n\ndef fetch():\n"
    "    url = request.args.get('url')\n    return requests.get(url)\n",
    _HEAD + "    note = wanted(request)\n    Order.objects.create(note=note)\n\n\n"
    'def wanted(request):\n    return request.GET.get("note")\n',
    "import os\n" + _HEAD + '    return HttpResponse(run("tail " + request.GET["log"]))\n\n\n'
    "def run(command):\n    return os.popen(command).read()\n",
    "import os\n" + _HEAD + '    wanted = {"log": request.GET["log"], "lines": 9}\n    os.remove(wanted["log"])\n',
    "import os\nfrom dataclasses import dataclass\n" + _HEAD + '    wanted = Wanted(9, log=request.GET["log"])\n'
    "    os.remove(wanted.log)\n\n\n@dataclass\nclass Wanted:\n    lines: int\n    log: str\n",
    "import os\n" + _HEAD + '    parts = ["/srv"]\n    parts.append(request.GET["folder"])\n'
    '    os.listdir("/".join(parts))\n',
    _HEAD + '    if request.data["kind"] not in KINDS:\n        raise Http404\n    data = request.data\n'
    '    if data["kind"] not in KINDS:\n        raise Http404\n    order.note = data["note"]\n    order.save()\n',
    _HEAD + '    fields = {key: request.data[key] for key in ("note", "name") if key in request.data}\n'
    "    Order.objects.create(**fields)\n",
    _HEAD + '    Order.objects.create(shop=request.headers["X-Shop"])\n',
    _HEAD + "    return HttpResponseRedirect(f\"{request.GET['site']}/reset\")\n",
    "from flask import request\nfrom shop.models import Order\n\n\ndef add():\n    data = request.get_json()\n"
    '    db.session.add(Order(note=data["note"]))\n',
    "from aiohttp import web\n\n\nasync def page(request):\n"
    '    name = request.query["name"]\n    return web.Response(text=f"<b>{name}</b>", content_type="text/html")\n',
    "class Notes(View):\n    def post(self, request):\n        self.note = request.POST['note']\n"
    "        Order.objects.filter(pk=1).update(note=self.note)\n",
    _HEAD + '    sort = request.GET["sort"]\n    if sort not in SORTS:\n'
    '        return HttpResponse("Unknown: " + sort, status=400)\n',
    "import os\n" + _HEAD + '    return HttpResponse(gently("tail " + request.GET["log"]))\n\n\n'
    "def gently(command):\n    return run('nice ' + command)\n\n\n"
    "def run(command):\n    return os.popen(command).read()\n",
    _HEAD + '    archive.extractall("/srv/" + request.POST["shop"])\n',
    "from flask import request\n\n\ndef add():\n    order = Order()\n    order.note = request.form['note']\n"
    "    db.session.add(order)\n",
    "from flask import request\n\n\ndef change(pk):\n    order = Order.query.get(pk)\n"
    "    order.note = request.form['note']\n    db.session.commit()\n",
    _HEAD + '    Order.objects.filter(pk__in=map(str.strip, request.GET["pks"].split(",")))\n',
)

INPUT_GOOD = one_file(
    "shop/views.py",
    "from flask import request\nfrom markupsafe import Markup\n\n\n@app.route('/name')\ndef name():\n"
    "    return Markup('<b>{}</b>').format(request.args['name'])\n",
    "from configparser import ConfigParser\n" + _HEAD + "    given = ConfigParser()\n"
    '    given.read("shop.ini")\n    note(request.POST["options"])\n    open(given.get("shop", "path"))\n',
    _HEAD + '    ends = {"go": "go", "python": "py"}\n    kind = request.GET["kind"]\n    end = ends[kind]\n'
    '    open(f"/srv/{kind}/demo.{end}")\n',
    _HEAD + '    url = start_of(request)\n    for name in request.GET:\n        url += f"&{name}"\n'
    "    return redirect(url)\n",
    _HEAD + '    site = urlsplit(request.GET["site"]).hostname\n    if site not in SITES:\n        raise Http404\n'
    "    return requests.get(site)\n",
    "import requests\n" + _HEAD + '    url = request.GET["url"]\n    host = urlsplit(url).hostname\n'
    "    if host not in HOSTS:\n        raise Http404\n    requests.get(url)\n",
    _HEAD + '    return HttpResponse(Markup("<b>") + request.GET["name"])\n',
    _TAKES + '    open(f"/srv/{uuid4()}_{bill.filename}", "wb")\n',
    _TAKES + '    kind = bill.filename.split(".")[-1]\n    open(f"/srv/bill.{kind}", "wb")\n',
    _TAKES + '    open(ROOT / Path(bill.filename).name, "wb")\n',
    _TAKES + "    if not is_allowed(bill.filename):\n        raise Wrong\n    open('/srv/' + bill.filename, 'wb')\n",
    _WHERE % (' = Field(pattern="^[a-z]+$")', "shutil.rmtree(ROOT / bill.path)"),
    _WHERE
    % (
        "\n\n    @field_validator('path')\n    def known(cls, path):\n        return one_of(PATHS, path)",
        "open(bill.path)",
    ),
    _WHERE % ("", "if bill.path not in PATHS:\n        raise Wrong\n    open(bill.path)"),
    _WHERE % ("", "bills.add(path=bill.path)"),
    "import subprocess\n" + _HEAD + '    subprocess.run(["ping", "-c1", request.GET["host"]])\n',
    _HEAD + "    checked = OrderSerializer(data=request.POST)\n    Order.objects.create(**checked.validated_data)\n",
    _HEAD + '    Order.objects.filter(pk=int(request.GET["pk"]))\n',
    _HEAD + '    told = {"note": request.POST["note"]}\n    for key, value in told.items():\n'
    "        if getattr(order, key) != value:\n            changes.append(key)\n",
    _HEAD + '    serializer = OrderSerializer(order, data=known)\n    serializer.told = request.POST["note"]\n'
    "    serializer.save()\n",
    "from shop import models\n\n\ndef view(request):\n"
    "    made = models.order.OrderSerializerUpdate(order, data=request.POST)\n"
    "    made.is_valid(raise_exception=True)\n",
    _HEAD + '    if request.GET.get("sort") in SORTS:\n        shop.sort = request.GET["sort"]\n        shop.save()\n',
    _HEAD + '    return HttpResponseRedirect(reverse("enter") + "?next=" + request.GET["next"])\n',
    _HEAD + '    tags = request.POST.getlist("tags")\n    for tag in tags:\n        if tag not in TAGS:\n'
    "            raise Http404\n    order.tags = tags\n    order.save()\n",
    _HEAD + '    ids = json.loads(request.body)["ids"]\n    if not all(isinstance(one, int) for one in ids):\n'
    "        raise Http404\n    Order.objects.filter(pk__in=ids)\n",
    _HEAD + '    scan = request.FILES["scan"]\n    try:\n        read_image(scan)\n    except Exception:\n'
    "        raise Http404 from None\n    order.scan = scan\n    order.save()\n",
    _HEAD + '    kind = request.POST["kind"]\n    if not KINDS.get(kind):\n        raise Http404\n'
    "    if kind in LARGE:\n        weigh(order)\n    order.kind = kind\n    order.save()\n",
    _HEAD + '    if request.POST["pk"].isdigit():\n        Order.objects.filter(pk=request.POST["pk"])\n',
    _HEAD + '    if is_safe_url(request.GET.get("next")):\n        return redirect(request.GET.get("next"))\n',
    _HEAD + "    name = f\"do_{request.POST['action']}\"\n    getattr(orders, name)()\n",
    _HEAD + '    field = request.GET["field"]\n    if Order.__mapper__.has_property(field):\n'
    "        return getattr(Order, field)\n",
    "import re\n" + _HEAD + '    order.slug = re.sub("[^a-z]", "", request.POST["slug"])\n    order.save()\n',
    _HEAD + '    path = request.get_full_path()\n    return redirect(path.replace(request.GET["v"], "2"))\n',
    _HEAD + '    tags = request.POST.getlist("tags")\n    if set(tags) - TAGS:\n        raise Http404\n'
    "    order.tags = tags\n    order.save()\n",
    _HEAD + '    order.note = request.POST["note"].strip()[:80]\n    order.save()\n',
    _HEAD + '    land = request.POST["land"]\n    if not shop.sells_in(land):\n        raise Http404\n'
    "    order.land = land\n    order.save()\n",
    _HEAD + '    with open(place(), "wb") as file:\n        for chunk in request.FILES["scan"].chunks():\n'
    "            file.write(chunk)\n",
    _HEAD + '    sort = request.GET["sort"]\n    if sort not in SORTS:\n        raise Http404\n'
    "    Order.objects.order_by(sort)\n",
    _HEAD + '    to = request.GET["next"]\n    if url_has_allowed_host_and_scheme(to, None):\n'
    "        return redirect(to)\n",
    _HEAD + '    return redirect(request.META.get("HTTP_REFERER", "shop:list_of_all_the_orders"))\n',
    _HEAD + '    return HttpResponse(escape(request.GET["name"]))\n',
    _HEAD + '    site = site_of()\n    return HttpResponseRedirect(f"{site}/reset/{request.GET["token"]}")\n',
    _HEAD + '    if form.is_valid():\n        send(form.cleaned_data["mail"], request.POST.get("next"))\n',
    "import requests\n" + _HEAD + '    requests.post("https://pay.example/x", json=request.data)\n',
    _HEAD + '    Order.objects.filter(pk=number(request, "pk"))\n\n\n'
    "def number(request, key):\n    return int(request.GET[key])\n",
    "import os\n" + _HEAD + '    wanted = {"log": request.GET["log"], "of": "new"}\n    os.listdir(wanted["of"])\n',
    _HEAD + '    name = request.POST["name"]\n    if len(name) > 80:\n        raise Http404\n'
    "    order.name = name\n    order.save()\n",
    _HEAD + '    mail = request.POST["mail"].strip()\n    known = validate_email(request.POST["mail"])\n'
    "    if not known:\n        raise Http404\n    order.mail = mail\n    order.save()\n",
    _HEAD + '    sort = request.GET["sort"]\n    column = sort.lstrip("-")\n    if column not in COLUMNS:\n'
    "        raise Http404\n    Order.objects.order_by(sort)\n",
    _HEAD
    + '    Visit.objects.create(browser=request.META["HTTP_USER_AGENT"], at=request.headers["X-Forwarded-For"])\n',
    "from fastapi import APIRouter\n\nfrom shop.schemas import SearchRequest\n\nrouter = APIRouter()\n\n\n"
    '@router.post("/found")\ndef found(request: SearchRequest):\n    Order.objects.create(note=request.query)\n',
    "from django.http import HttpResponse\n\n\ndef view(request):\n"
    "    form = OrderForm(data=request.POST)\n    form.save()\n",
    "from flask import request\n\n\ndef add():\n    data = request.get_json()\n    shop = shop_of(data['shop'])\n"
    "    if shop is None:\n        abort(400)\n    order = Order()\n    order.shop = data['shop']\n"
    "    db.session.add(order)\n",
    _HEAD + '    sort = request.GET["sort"]\n    if sort in SORTS and not order.sent:\n'
    '        return HttpResponse("Sorted by " + sort)\n    raise Http404\n',
    _HEAD + '    Order.objects.filter(pk__in=list(map(int, request.GET.getlist("pk"))))\n',
    _HEAD + "    errors = OrderSchema().validate(request.data)\n    if errors:\n        raise Http404\n"
    '    order.note = request.data["note"]\n    order.save()\n',
    _HEAD
    + '    pairs = []\n    for note in request.POST.getlist("notes"):\n        pairs.append((number_of(note), note))\n'
    "    for number, _ in pairs:\n        Order.objects.filter(pk=number)\n",
    _HEAD + '    pk = request.data["pk"]\n    if type(pk) is not int:\n        raise Http404\n'
    "    Order.objects.filter(pk=pk)\n",
    _HEAD
    + "    rows, wanted = narrowed(Order.objects.all(), request)\n    Export.objects.create(note=rows.count())\n\n\n"
    'def narrowed(rows, request):\n    note = request.GET["note"]\n    return rows.filter(note=note), {"note": note}\n',
    _HEAD + '    Order.objects.create(note=tidy(request.POST["note"]))\n\n\n'
    "def tidy(note):\n    return note.strip().lower()\n",
    _HEAD + "    return redirect(link_of(request))\n\n\n"
    'def link_of(request):\n    return "/orders/?" + request.GET["page"]\n',
    "import os\n" + _HEAD + '    return _shown(request, "/srv/late.txt")\n\n\n'
    "def _shown(request, path):\n    return open(path)\n",
    _HEAD + '    to = request.GET["next"]\n    if not to.startswith("http"):\n        return redirect(to)\n',
    _HEAD + '    sort = request.GET["sort"]\n    if sort not in FORBIDDEN:\n'
    '        return HttpResponse("Sorted by " + sort)\n',
)

MASS_BAD = one_file(
    "shop/views.py",
    _HEAD + "    Order.objects.create(**request.data)\n",
    _HEAD + "    order = Order(**request.data)\n    order.save()\n",
    _HEAD + "    Order.objects.filter(pk=1).update(**request.POST.dict())\n",
    _HEAD + "    Order.objects.update_or_create(pk=1, defaults=request.data)\n",
    _HEAD + "    Order.objects.create(**(request.data if request.data else {'note': request.GET['note']}))\n",
    _HEAD + "    for key, value in request.data.items():\n        setattr(order, key, value)\n",
    _HEAD + "    for key, value in request.data.items():\n        if key in ('price', 'weight'):\n"
    "            value = float(value)\n        setattr(order, key, value)\n",
    "class Orders(View):\n    def post(self, request):\n        self.order_model(**request.POST.dict()).save()\n",
    "from django.db import models\n\n\nclass Order(models.Model):\n    note = models.TextField()\n\n\n"
    "def view(request):\n    fields = request.POST.dict()\n    Order(**fields).save()\n",
)

MASS_GOOD = one_file(
    "shop/views.py",
    _HEAD + "    Order.objects.create(**serializer.validated_data)\n",
    _HEAD + "    since = {'made__gt': request.GET['since']}\n    Order.objects.filter(**since)\n",
    _HEAD + "    number = request.GET.get('number')\n    by = {'number': number} if number else {'pk': pk}\n"
    "    Order.objects.filter(**by)\n",
    _HEAD + "    Order.objects.update_or_create(pk=1, defaults={'note': request.data['note']})\n",
    _HEAD + "    for key, value in request.POST.items():\n        match key:\n            case 'note' | 'name':\n"
    "                setattr(order, key, value)\n",
    "from fastapi import APIRouter\n\nfrom shop.models import MappingRule\n\n\n@router.post('/rules')\n"
    "def add(rule: MappingRuleIn):\n    Rule.objects.create(**rule.dict())\n",
    _HEAD + "    data = request.data\n    unknown = data.keys() - FIELDS\n    if unknown:\n        raise Http404\n"
    "    for key in data:\n        setattr(order, key, data[key])\n",
    _HEAD + "    OrderForm(**request.data)\n    log(**request.data)\n",
    _HEAD + "    some = {k: v for k, v in request.data.items() if k in ALLOWED}\n"
    "    for key, value in some.items():\n        setattr(order, key, value)\n",
    _HEAD + "    order = OrderIn(**request.json())\n    Order.objects.create(name=order.name)\n",
    "from pydantic import BaseModel\n\n\nclass OrderModel(BaseModel):\n    note: str\n\n\n"
    "def view(request):\n    order = OrderModel(**request.data)\n",
    _HEAD + '    Order.objects.create(**fields_of(request.data["note"]))\n\n\n'
    'def fields_of(note):\n    return {"note": note}\n',
    _HEAD + "    Order.objects.create(**fields_in(request))\n\n\n"
    'def fields_in(request):\n    fields = {"note": request.POST["note"]}\n    return fields\n',
)
