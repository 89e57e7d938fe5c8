"""What the rule logic-in-view finds, and what it leaves alone."""

from skills.gates.rule import Example

_VIEWS = "shop/views.py"


VIEW_BAD: tuple[Example, ...] = (
    Example(
        {
            _VIEWS: "class OrderViewSet(ModelViewSet):\n    def create(self, request):\n"
            '        order = Order.objects.create(total=request.data["total"])\n'
            "        return Response(order.pk)\n"
        }
    ),
    Example(
        {
            _VIEWS: "class PayView(APIView):\n    def post(self, request, pk):\n        order = self.get_object()\n"
            "        order.paid = True\n        order.save()\n        return Response()\n"
        }
    ),
    Example({_VIEWS: "@api_view(['POST'])\ndef clear(request):\n    Cart.objects.filter(old=True).delete()\n"}),
    Example({_VIEWS: "def clear(request):\n    request.user.carts.all().update(open=False)\n"}),
    Example(
        {
            _VIEWS: "from django.core.mail import send_mail\n\n\nclass PayView(View):\n"
            "    def post(self, request):\n        send_mail('Paid', 'Thanks', None, [request.user.email])\n"
        }
    ),
    Example(
        {
            _VIEWS: "import requests as http\n\n\nclass RateView(APIView):\n"
            "    def get(self, request):\n        return Response(http.get('https://rates.example/eur').json())\n"
        }
    ),
    Example(
        {
            _VIEWS: "from django.db import transaction\n\n\nclass OrderViewSet(ModelViewSet):\n"
            "    @transaction.atomic\n    def perform_create(self, serializer):\n        serializer.save()\n"
        }
    ),
    Example(
        {
            _VIEWS: "from django.db import transaction\n\n\n"
            "@method_decorator([login_required, transaction.atomic], name='dispatch')\nclass OrderView(View):\n"
            "    def post(self, request):\n        pay(request.user)\n"
        }
    ),
    Example(
        {
            _VIEWS: "import requests\n\nbank = requests.Session()\n\n\ndef rates(request):\n"
            "    return JsonResponse(bank.get('https://rates.example/eur').json())\n"
        }
    ),
    Example(
        {
            _VIEWS: "from django.db import transaction\n\n\ndef pay(request):\n"
            "    with transaction.atomic():\n        charge(request.user)\n"
        }
    ),
    Example({_VIEWS: "def rename(request):\n    profile = request.user.profile\n    profile.save()\n"}),
    Example({_VIEWS: "def shut(request, pk):\n    document = Document.objects.get(pk=pk)\n    document.delete()\n"}),
    Example(
        {
            _VIEWS: "def join(request):\n    return _join(request.POST)\n\n\ndef _join(data):\n"
            "    user = User(email=data['email'])\n    user.save()\n"
        }
    ),
    Example(
        {_VIEWS: "class ShutMixin:\n    def destroy(self, request, pk):\n        Cart.objects.filter(pk=pk).delete()\n"}
    ),
    Example({_VIEWS: "def drop(request):\n    request.user.carts.get(pk=request.GET['id']).delete()\n"}),
    Example(
        {
            "shop/views/cart.py": "class Clear(Page):\n    def post(self, request):\n"
            "        Cart.objects.all().delete()\n"
        }
    ),
    Example(
        {
            "shop/http.py": "from rest_framework.views import APIView\n\n\nclass Closed(APIView):\n    pass\n",
            "shop/carts.py": "from shop.http import Closed\n\n\nclass Clear(Closed):\n"
            "    def delete(self, request, pk):\n        Cart.objects.get(pk=pk).delete()\n",
        }
    ),
    Example(
        {
            "shop/pages.py": "from django.shortcuts import redirect\n\n\ndef clear(request):\n"
            "    Cart.objects.filter(user=request.user).delete()\n    return redirect('cart')\n"
        }
    ),
    Example(
        {
            _VIEWS: "from django.core.mail import send_mail as post\n\n\ndef tell(request):\n"
            "    post('Hello', 'You', None, [request.user.email])\n"
        }
    ),
    Example({_VIEWS: "def join(request):\n    User.objects.create_user(request.POST['name'])\n"}),
    Example(
        {
            _VIEWS: "class OrderViewSet(ModelViewSet):\n    def close(self, request, pk):\n"
            "        self.get_object().lines.update(open=False)\n",
            "shop/models.py": "class Line(models.Model):\n"
            "    order = models.ForeignKey('Order', models.CASCADE, related_name='lines')\n",
        }
    ),
    Example(
        {
            _VIEWS: "def add(request, order):\n    order.lines.create(amount=request.POST['amount'])\n",
            "shop/models.py": "class Line(models.Model):\n"
            "    order = models.ForeignKey('Order', models.CASCADE, related_name='lines')\n",
        }
    ),
    Example(
        {
            _VIEWS: "from rest_framework.views import APIView as Base\n\n\nclass Clear(Base):\n"
            "    def handle(self):\n        Cart.objects.all().delete()\n"
        }
    ),
    Example(
        {
            "shop/api.py": "from ninja import Router\n\nrouter = Router()\n\n\n@router.post('/carts')\n"
            "def add(request, name: str):\n    return Cart.objects.create(name=name).pk\n"
        }
    ),
    Example(
        {
            _VIEWS: "class OrderViewSet(UpdateSerializerMixin, ModelViewSet):\n    def shut(self, request, pk):\n"
            "        Order.objects.filter(pk=pk).delete()\n"
        },
        note="what chooses the serializer is mixed into a view",
    ),
    Example({_VIEWS: "import stripe\n\n\ndef pay(request):\n    stripe.Charge.create(amount=3)\n"}),
    Example(
        {
            _VIEWS: "def like(request, order):\n    request.user.likes.add(order)\n",
            "shop/models.py": "class User(models.Model):\n    likes = models.ManyToManyField('Order')\n",
        }
    ),
)

VIEW_GOOD: tuple[Example, ...] = (
    Example(
        {
            _VIEWS: "class OrderViewSet(ModelViewSet):\n    def create(self, request):\n"
            "        order = OrderService().place(request.user, request.data)\n        return Response(order.pk)\n"
        }
    ),
    Example(
        {
            _VIEWS: "class OrderViewSet(ModelViewSet):\n    def perform_create(self, serializer):\n"
            "        serializer.save(author=self.request.user)\n"
        }
    ),
    Example({_VIEWS: "def edit(request):\n    form = OrderForm(request.POST)\n    form.save()\n"}),
    Example(
        {
            _VIEWS: "def edit(request):\n    context = {'form': OrderForm(request.POST)}\n"
            "    order = context['form'].save(commit=False)\n    return render(request, context, order)\n"
        }
    ),
    Example(
        {
            _VIEWS: "class OrderEdit(UpdateView):\n    def form_valid(self, form):\n"
            "        self.object = form.save(commit=False)\n        self.object.save()\n"
            "        return redirect(self.object)\n"
        }
    ),
    Example({"shop/views/utils.py": "def keep(order):\n    order.save()\n"}),
    Example({_VIEWS: "class OrderFormMixin:\n    def keep(self, order):\n        order.save()\n"}),
    Example({_VIEWS: "def count(request):\n    return HttpResponse(Order.objects.filter(paid=True).count())\n"}),
    Example({_VIEWS: "def shut(request):\n    request.session.delete()\n    cache.delete(request.path)\n"}),
    Example(
        {
            _VIEWS: "from reportlab.pdfgen import canvas\n\n\ndef bill(request):\n"
            "    page = canvas.Canvas(response)\n    page.save()\n    data.update(request.GET)\n"
        }
    ),
    Example(
        {
            _VIEWS: "class Basket:\n    def save(self):\n        cache.set(self.key, self)\n\n\ndef keep(request):\n"
            "    basket = Basket.of(request.user)\n    basket.save()\n"
        },
        note="a class of the file that is built on nothing is no row",
    ),
    Example({"shop/services.py": "def place(request):\n    return Order.objects.create()\n"}),
    Example(
        {
            _VIEWS: "class Lines(View):\n    def get(self, request):\n        self.lines.add(3)\n\n\n"
            "def show(request, page):\n    page.seen.add(3)\n    page.lines.update({'open': False})\n"
            "    page.params.update(open=False)\n",
            "shop/models.py": "class Line(models.Model):\n"
            "    order = models.ForeignKey('Order', models.CASCADE, related_name='lines')\n",
        }
    ),
    Example({_VIEWS: "def tell(request, bot):\n    bot.messages.create(text=request.POST['text'])\n"}),
    Example(
        {
            _VIEWS: "def keep(request, key):\n    request.user.config.set(key, 3)\n"
            "    request.user.config.set('size')\n",
            "shop/models.py": "class User(models.Model):\n    config = models.ManyToManyField('Value')\n",
        },
        note="a store of values by name is no relation, whatever it is called",
    ),
    Example(
        {
            _VIEWS: "def tell(request, client):\n    client.messages.create(text=request.POST['text'])\n",
            "shop/models.py": "class Message(models.Model):\n"
            "    order = models.ForeignKey('Order', models.CASCADE, related_name='messages')\n",
        }
    ),
    Example({"shop/sync.py": "def clear(request):\n    Cart.objects.all().delete()\n    return {'done': True}\n"}),
    Example(
        {
            "shop/shops.py": "class Shops(Remote):\n    def post(self, request):\n"
            "        Cart.objects.create(url=request.url)\n"
        }
    ),
    Example(
        {
            "shop/tests/test_views.py": "class FakeView(APIView):\n"
            "    def get(self, request):\n        Order.objects.create()\n"
        }
    ),
    Example(
        {
            "bot/page.py": "from aiohttp import ClientSession, web\n\n\nclass Page(web.View):\n"
            "    async def post(self):\n        async with ClientSession() as session:\n            await session.post('https://a.example')\n"
        }
    ),
    Example(
        {
            "bot/views.py": "import discord\n\n\nclass Menu(discord.ui.View):\n"
            "    async def click(self, request):\n        Vote.objects.create()\n"
        }
    ),
)
