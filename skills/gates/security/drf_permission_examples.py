"""What the rule view-without-permissions reports and what it leaves alone; each is a test of it."""

from skills.gates.example_files import one_file
from skills.gates.rule import Example

_PAGED = "from rest_framework.views import APIView\n\n\nclass PagedView(APIView):\n    size = 50\n"
_LISTED = (
    "from rest_framework.response import Response\n\nfrom shop.base import PagedView\n\n\n"
    "class Orders(PagedView):\n    def get(self, request):\n        return Response(orders())\n"
)

VIEW_BAD: tuple[Example, ...] = (
    Example({"shop/base.py": _PAGED, "shop/views.py": _LISTED}),
    Example(
        {
            "shop/base.py": f"{_PAGED}\n\nclass ShopView(PagedView):\n    pass\n",
            "shop/views.py": _LISTED.replace("PagedView", "ShopView"),
        }
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n    def get(self, request):\n"
        "        return Response(Order.objects.values('id'))\n",
    ),
    Example(
        {
            "shop/settings.py": 'REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["shop.AllowAny"]}\n',
            "shop/views.py": "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n"
            "    permissions_classes = [IsOwner]\n\n    def get(self, request):\n        pass\n",
        }
    ),
    Example(
        {
            "shop/settings.py": 'REST_FRAMEWORK = {"PAGE_SIZE": 50}\n'
            'MIDDLEWARE = ["django.contrib.auth.middleware.LoginRequiredMiddleware", "shop.Authentication"]\n',
            "shop/views.py": "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n"
            "    def get(self, request):\n        pass\n\n\nclass Carts(APIView):\n"
            "    permission_classes = [IsOwner]\n",
        }
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n    def get(self, request):\n"
        "        pass\n",
        "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n    @log_request\n"
        "    def get(self, request):\n        pass\n\n    @has_permissions(Can.WRITE)\n"
        "    def post(self, request):\n        pass\n",
        "from rest_framework.decorators import api_view\n\n\n@api_view(['GET'])\ndef orders(request):\n    pass\n",
        "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n"
        "    permissions_clases = [IsOwner]\n\n    def get(self, request):\n        pass\n",
        "from rest_framework.authentication import TokenAuthentication\n"
        "from rest_framework.decorators import api_view, authentication_classes\n\n\n@api_view(['GET'])\n"
        "@authentication_classes([TokenAuthentication])\ndef orders(request):\n    pass\n",
        "from rest_framework import viewsets\n\n\nclass Orders(viewsets.ModelViewSet):\n"
        "    queryset = Order.objects.all()\n",
        "from rest_framework import viewsets\n\n\nclass Orders(viewsets.ModelViewSet):\n"
        "    def create(self, request):\n        raise PermissionDenied\n",
    ),
)

VIEW_GOOD: tuple[Example, ...] = (
    *(
        Example({"shop/base.py": _PAGED + says, "shop/views.py": _LISTED}, note="a base says who may come")
        for says in (
            "    permission_classes = [IsOwner]\n",
            "\n    def initial(self, request):\n        ask(request)\n",
            "\n    def owner(self):\n        if not self.request.user.is_staff:\n            raise PermissionDenied\n",
        )
    ),
    Example({"shop/views.py": _LISTED}, note="a base that the project does not define"),
    Example(
        {"shop/base.py": _PAGED.replace("(APIView)", "(KeyedView)"), "shop/views.py": _LISTED},
        note="a base that is built on another package",
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.views import APIView\n\n\nclass AccessTokenView(APIView):\n"
        "    def post(self, request):\n        return given(request.data)\n",
        "from rest_framework.views import APIView\n\n\nclass SetNewPassword(APIView):\n"
        "    def post(self, request):\n        return given(request.data)\n",
        "from rest_framework.decorators import api_view\n\n\n@api_view(['GET'])\ndef api_root(request):\n"
        "    return Response(links(request))\n",
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.views import APIView\n\n\nclass Languages(APIView):\n    def get(self, request):\n"
        "        return Response([{'code': code, 'name': name} for code, name in settings.LANGUAGES])\n",
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.views import APIView\n\n\nclass Events(APIView):\n    def post(self, request):\n"
        "        if verify_signature(request.headers, request.body):\n            note(request.data)\n",
        "from rest_framework import viewsets\n\n\nclass Members(viewsets.ModelViewSet):\n"
        "    def list(self, request):\n        return some() if is_public_viewer(request) else everyone()\n",
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.viewsets import GenericViewSet\n\n\nclass Orders(GenericViewSet):\n"
        "    queryset = Order.objects.all()\n",
    ),
    Example(
        {
            "shop/settings.py": 'REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["shop.AllowAny"]}\n',
            "shop/views.py": "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n"
            "    def get(self, request):\n        pass\n\n\nclass Carts(APIView):\n"
            "    permission_classes = [IsOwner]\n",
        },
        note="open on purpose, and told of the settings",
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.viewsets import GenericViewSet\n\n\nclass Orders(GenericViewSet):\n"
        "    @action(detail=True, permission_classes=(IsOwner,))\n    def pay(self, request):\n        pass\n",
        "from rest_framework.views import APIView\n\n\nclass Media(APIView):\n"
        "    # No permission_classes: the token in the address is asked for by hand\n"
        "    def get(self, request):\n        return sent(read(request.GET['token']))\n",
        "from rest_framework.views import APIView\n\n\nclass Listed(APIView):\n    def get(self, request):\n"
        "        pass\n\n\nclass Orders(Listed):\n    permission_classes = [IsOwner]\n",
    ),
    *one_file(
        "shop/forgotPassword.py",
        "from rest_framework.decorators import api_view\n\n\n@api_view(['POST'])\ndef recuperar(request):\n    pass\n",
    ),
    *one_file(
        "shop/views.py",
        "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n    permission_classes = [IsOwner]\n",
        "from rest_framework.viewsets import ViewSet\n\n\nclass Orders(ViewSet):\n"
        "    @action(detail=False, permission_classes=[IsOwner])\n    def late(self, request):\n        pass\n",
        "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n    @has_permissions(Can.READ)\n"
        "    def get(self, request):\n        pass\n",
        "from rest_framework.views import APIView\n\nfrom shop.signing import SignedRequests\n\n\n"
        "class Orders(APIView):\n    authentication_classes = [SignedRequests]\n\n    def get(self, request):\n"
        "        pass\n",
        "from rest_framework.views import APIView\n\n\nclass LoginView(APIView):\n    def post(self, request):\n"
        "        pass\n\n\nclass Orders(APIView):\n    class Late(APIView):\n"
        "        permission_classes = [IsOwner]\n",
        "from rest_framework.decorators import api_view\n\n\n@api_view(['GET'])\ndef orders(request):\n"
        "    if not request.user.is_authenticated:\n        raise PermissionDenied\n",
        "from rest_framework import mixins, viewsets\n\n\n"
        "class ListOnly(mixins.ListModelMixin, viewsets.GenericViewSet):\n    def paged(self, rows):\n"
        "        return rows[:10]\n",
        "from rest_framework.decorators import api_view, authentication_classes\n\n"
        "from shop.signing import SignedRequests\n\n\n@api_view(['GET'])\n"
        "@authentication_classes([SignedRequests])\ndef orders(request):\n    pass\n",
        "from rest_framework.decorators import api_view, permission_classes\n\n"
        "ours = permission_classes([IsOwner])\n\n\n@api_view(['GET'])\n@ours\ndef orders(request):\n    pass\n",
        "from rest_framework.decorators import api_view\n\n\n@api_view(['GET'])\n@login_required\n"
        "def orders(request):\n    pass\n",
        "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n    def post(self, request):\n"
        "        if not Shop.objects.filter(key=request.data['key']).exists():\n"
        "            return Response(status=status.HTTP_403_FORBIDDEN)\n        return made(request)\n",
        "from rest_framework.decorators import api_view\n\n\n@api_view(['GET'])\ndef orders(request):\n"
        "    if request.headers['key'] not in KEYS:\n        return Response({}, status=401)\n    return rows()\n",
        "from shop.base import BaseView\nfrom rest_framework import mixins\n\n\nclass Orders(BaseView):\n    pass\n",
    ),
    *(
        Example(
            {
                "shop/settings.py": settings,
                "shop/views.py": "from rest_framework.views import APIView\n\n\nclass Orders(APIView):\n    pass\n",
            }
        )
        for settings in (
            'REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["shop.IsMember"]}\n',
            'REST_FRAMEWORK = dict(DEFAULT_PERMISSION_CLASSES=["shop.IsMember"])\n',
            'REST_FRAMEWORK = {**base, "DEFAULT_PERMISSION_CLASSES": ["shop.IsMember"]}\n',
            'REST_FRAMEWORK = {"PAGE_SIZE": 50}\n',
            'MIDDLEWARE = ["login_required.middleware.LoginRequiredMiddleware"]\n',
            'MIDDLEWARE = [*MIDDLEWARE, "shop.auth.AuthorizationMiddleware"]\n',
            'REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"] = ["shop.IsMember"]\n',
            'REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"] += ["shop.IsMember"]\n',
            'API = {"DEFAULT_PERMISSION_CLASSES": ["shop.IsMember"]}\nsetattr(settings, "REST_FRAMEWORK", API)\n',
        )
    ),
)
