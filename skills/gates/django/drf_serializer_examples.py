"""Examples of the rules logic-in-serializer and serializer-all-fields."""

from skills.gates.rule import Example

_HEAD = "from rest_framework import serializers\n\n\nclass OrderSerializer(serializers.ModelSerializer):\n"
_META = "    class Meta:\n        model = Order\n        fields = ['id']\n\n"


def _order(source: str, before: str = "") -> Example:
    return Example({"shop/serializers.py": before + _HEAD + _META + source})


LOGIC_BAD: tuple[Example, ...] = (
    Example(
        {
            "shop/serializers.py": "from rest_framework.serializers import ModelSerializer as Base\n\n\n"
            "class OrderIn(Base):\n    class Meta:\n        model = Order\n\n"
            "    def update(self, instance, validated_data):\n        Log.objects.create(text='changed')\n"
            "        return super().update(instance, validated_data)\n"
        }
    ),
    _order(
        "    def create(self, validated_data):\n        lines = validated_data.pop('lines')\n"
        "        order = Order.objects.create(**validated_data)\n        for line in lines:\n"
        "            Line.objects.create(order=order, **line)\n        return order\n"
    ),
    _order(
        "    def create(self, validated_data):\n        order = super().create(validated_data)\n"
        "        send_mail('Paid', 'Thanks', None, [order.email])\n        return order\n",
        "from django.core.mail import send_mail\n",
    ),
    _order(
        "    def validate(self, attrs):\n        requests.get('https://rates.example')\n        return attrs\n",
        "import requests\n",
    ),
    _order(
        "    def update(self, instance, validated_data):\n        stock = validated_data['stock']\n"
        "        stock.count -= 1\n        stock.save()\n        return super().update(instance, validated_data)\n"
    ),
    _order(
        "    def save(self, **kw):\n        with transaction.atomic():\n            return super().save(**kw)\n",
        "from django.db import transaction\n",
    ),
    _order(
        "    @transaction.atomic\n    def create(self, data):\n        return super().create(data)\n",
        "from django.db import transaction\n",
    ),
    _order(
        "    def update(self, instance, validated_data):\n        instance.lines.all().delete()\n"
        "        return super().update(instance, validated_data)\n"
    ),
    _order(
        "    def create(self, validated_data):\n        order = super().create(validated_data)\n"
        "        Receipt.objects.create(order=order)\n        return order\n"
    ),
    Example({"shop/serializers.py": "class BulkSerializer(serializers.Serializer):\n"
             "    def save(self):\n        self.validated_data['lines'].delete()\n"}),
    _order(
        "    def create(self, validated_data):\n        order = super().create(validated_data)\n"
        "        Receipt(order=order).save()\n        return order\n"
    ),
    _order(
        "    def to_representation(self, instance):\n        instance.seen = True\n        instance.save()\n"
        "        return super().to_representation(instance)\n"
    ),
    _order(
        "    def create(self, validated_data):\n        order = super().create(validated_data)\n"
        "        tasks.notify.delay(order.pk)\n        return order\n",
        "from shop import tasks\n",
    ),
    _order("    def validate(self, data):\n        notify.send(3)\n        return data\n",
           "from shop.tasks import notify\n"),
    _order("    def get_seen(self, obj):\n        View.objects.filter(order=obj).update(seen=True)\n"),
)  # fmt: skip
LOGIC_GOOD: tuple[Example, ...] = (
    _order("    def update(self, instance, given):\n        instance.logo.delete()\n        return instance\n"),
    _order("    def create(self, given):\n        return Order.objects.using('log').create(**given)\n"),
    _order(
        "    def create(self, validated_data):\n        order = Order.objects.create(**validated_data)\n"
        "        order.number = 3\n        order.save()\n        return order\n"
    ),
    _order(
        "    def update(self, instance, validated_data):\n        instance.name = validated_data['name']\n"
        "        instance.save(update_fields=['name'])\n        instance.tags.set([])\n        return instance\n"
    ),
    Example({"shop/serializers.py": "class UserSerializer(serializers.ModelSerializer):\n    class Meta:\n"
             "        model = User\n\n    def create(self, given):\n"
             "        return User.objects.create_user(**given)\n"}),
    _order("    def update(self, order, given):\n        order.tags.remove(given['tag'])\n        order.save()\n"),
    _order("    def create(self, data):\n        created.send(data)\n        return Order(**data)\n",
           "from shop.signals import created\n"),
    _order("    def create(self, data):\n        self.clock.delay(data['late'])\n        return Order(**data)\n"),
    _order("    def create(self, data):\n        return OrderService().place(**data)\n"),
    _order("    def create(self, data):\n        Order(**data).save()\n        OrderForm(data).save()\n"),
    _order("    def get_open(self, obj):\n        return Line.objects.filter(order=obj, open=True).exists()\n"),
    _order("    def to_internal_value(self, data):\n        data.update(a=1)\n        return data\n"),
    Example(
        {"shop/serializers.py": "class UserSerializer(serializers.Serializer):\n    def create(self, data):\n"
         "        user = User.objects.create(**data)\n        user.set_password('x')\n        user.save()\n"
         "        return user\n"}
    ),
    Example(
        {"shop/tests/test_serializers.py": "class FakeSerializer(ModelSerializer):\n    def create(self, data):\n"
         "        Log.objects.create()\n        return Order.objects.create(**data)\n"}
    ),
)  # fmt: skip
FIELDS_BAD: tuple[Example, ...] = (
    Example({"shop/serializers.py": _HEAD + "    class Meta:\n        model = Order\n        fields = '__all__'\n"}),
    Example({"shop/serializers.py": _HEAD + "    class Meta:\n        fields = serializers.ALL_FIELDS\n"}),
    Example(
        {
            "shop/forms.py": "class OrderForm(forms.ModelForm):\n    class Meta:\n        model = Order\n"
            "        fields = '__all__'\n"
        }
    ),
    Example({"shop/forms.py": "class OrderForm(forms.ModelForm):\n    class Meta:\n        fields = '__all__'\n"}),
)
FIELDS_GOOD: tuple[Example, ...] = (
    _order(""),
    Example({"shop/filters.py": "class OrderFilter(FilterSet):\n    class Meta:\n        fields = '__all__'\n"}),
)
