"""What the rule test-not-aaa finds, and what it leaves alone."""

from skills.gates.rule import Example


def _test(source: str) -> Example:
    return Example({"shop/tests/test_prices.py": source})


AAA_BAD: tuple[Example, ...] = (
    _test("def test_gross():\n    net = 3\n\n    result = gross(net)\n    assert result == 6\n"),
    _test("def test_gross():\n    net = 3\n    result = gross(net)\n\n    assert result == 6\n"),
    _test("def test_gross():\n    assert gross(3) == 6\n"),
    _test("def test_gross():\n    expected = 6\n\n    assert gross(3) == expected\n"),
    _test("def test_pays():\n    cart = Cart(3)\n\n    assert cart.pay(2) == 1\n"),
    _test("import pytest\n\n\ndef test_warns():\n    with pytest.warns(UserWarning):\n        pass\n"),
    _test("def test_gross():\n    net = 3\n\n    # twice\n    result = gross(net)\n\n    assert result == 6\n"),
    _test("def test_gross():\n    net = 3\n\n    result = gross(net)\n    # now look\n\n    assert result == 6\n"),
    _test(
        "def test_sum():\n    result = sum(\n        # three of them\n        net(3),\n    )\n\n"
        "    assert result == 6\n"
    ),
    _test(
        "def test_twice(client):\n    response = client.get('/a')\n\n    assert response.ok\n\n"
        "    response = client.get('/b')\n\n    assert response.ok\n"
    ),
    _test(
        "from shop.money import pay\n\n\ndef test_pay(order):\n    pay(order, 3)\n\n    assert order.paid\n\n"
        "    pay(order, 0)\n\n    assert not order.paid\n"
    ),
    _test(
        "def test_pay(order):\n    place(order)\n\n    assert order.paid\n\n    order.cancel()\n\n"
        "    assert not order.paid\n"
    ),
    _test(
        "def test_twice(page):\n    first = page.render()\n\n    assert first == ''\n\n"
        "    second = page.render()\n\n    assert second == ''\n"
    ),
    _test(
        "def test_gets(client):\n    first = client.get('/a')\n\n    assert first.ok\n\n"
        "    second = client.get('/b')\n\n    assert second.ok\n"
    ),
    _test(
        "def test_cart():\n    cart = Cart()\n\n    cart.add(3)\n\n    assert cart.total == 3\n\n"
        "    cart.remove(3)\n\n    assert not cart.total\n"
    ),
    _test(
        "import pytest\n\n\ndef test_cart(cart):\n    cart.name = ''\n\n    with pytest.raises(ValueError):\n"
        "        cart.save()\n\n    cart.name = 'a'\n    cart.save()\n    assert cart.pk\n"
    ),
    _test(
        "import pytest\n\n\ndef test_empty(cart):\n    with pytest.raises(ValueError):\n        cart.pay()\n\n"
        "    with pytest.raises(ValueError):\n        cart.send()\n"
    ),
    _test(
        "import pytest\n\n\ndef test_empty():\n    with pytest.raises(ValueError):\n        pay([])\n\n"
        "    with pytest.raises(TypeError):\n        pay(None)\n"
    ),
    _test("def test_gross():\n    net = 3\n\n    rate = 2\n\n    result = gross(net)\n\n    assert result\n"),
    _test(
        "class TestPay(TestCase):\n    def test_pay(self):\n        order = make()\n        order.pay()\n"
        "        self.assertTrue(order.paid)\n"
    ),
    _test("def test_read(path):\n    with open(path) as f:\n        result = f.read()\n    assert result\n"),
)

AAA_GOOD: tuple[Example, ...] = (
    _test(
        "def test_closes(make):\n    page = make()\n    assert not page.closed\n\n    page.close()\n\n"
        "    assert page.closed\n"
    ),
    _test("def test_closes(page):\n    assert not page.closed\n\n    page.close()\n\n    assert page.closed\n"),
    _test(
        "async def test_pays(session, order):\n    await pay(order)\n\n    await session.refresh(order)\n"
        "    assert order.paid\n"
    ),
    _test("def test_gross():\n    net = 3\n\n    result = gross(net)\n\n    assert result == 6\n"),
    _test("def test_gross(order):\n    order.pay()\n\n    assert order.paid\n    assert order.closed\n"),
    _test(
        "import pytest\n\n\ndef test_raises(order):\n    order.close()\n\n"
        "    with pytest.raises(ValueError):\n        order.pay()\n\n    assert not order.paid\n"
    ),
    _test("def test_log(caplog):\n    def hook():\n        pass\n\n    run(hook)  # act\n\n    assert caplog.text\n"),
    _test("def test_steps():\n    # Arrange\n    net = 3\n    # Act\n    got = f(net)\n    # Assert\n    assert got\n"),
    _test(
        "def test_patched():\n    with patch('a.b'):\n        net = 3\n\n        result = gross(net)\n\n"
        "        assert result\n"
    ),
    _test(
        "def test_page(client):\n    soup = parse(client.get('/').content)\n\n    title = soup.find('title')\n\n"
        "    assert title\n    foot = soup.find('footer')\n    assert foot\n"
    ),
    _test("def test_gross():\n    got = gross(3)\n\n    expected = {'gross': 6}\n    assert got == expected\n"),
    _test("def test_paid(order):\n    place(order)\n\n    order.refresh_from_db()\n    assert order.paid\n"),
    _test(
        "def test_reload(order):\n    order.pay()\n\n    assert order.paid\n    order.refresh_from_db()\n"
        "    assert order.paid\n"
    ),
    _test(
        "def test_inside():\n    client = Client()\n\n    with client:\n        pages = client.fetch(2)\n\n"
        "    assert len(pages) == 2\n"
    ),
    _test("def test_read(path):\n    with open(path) as f:\n        result = f.read()\n\n    assert result\n"),
    _test("def test_gross():\n    assert gross(3) == 6  # noqa: AAA01\n"),
    _test(
        "def test_list(client):\n    url = reverse('orders')\n\n    response = client.get(url)\n"
        "    rows = response.json()\n\n    assert rows == []\n"
    ),
    _test(
        "def test_list(client):\n    url = reverse('orders')\n\n    response = client.get(url)\n\n"
        "    rows = response.json()\n    assert rows == []\n"
    ),
    _test(
        "def test_drop(client, user):\n    client.force_login(user)\n\n    response = client.delete('/3')\n\n"
        "    left = Order.objects.filter(pk=3).exists()\n    assert response.ok\n    assert not left\n"
    ),
    _test(
        "def test_gross():\n    net = 3\n    # twice\n\n    result = gross(net)\n\n"
        "    # with tax\n    assert result == 6\n"
    ),
    _test('def test_text():\n    result = length(\n        """\n# no comment\n"""\n    )\n\n    assert result == 14\n'),
    _test(
        "def test_drop(order):\n    order.drop(3)\n\n    left = order.lines.filter(pk=3).exists()\n"
        "    assert not left\n    left = order.lines.filter(pk=4).exists()\n    assert left\n"
    ),
    _test(
        "import pytest\n\n\ndef test_empty(cart):\n    with pytest.raises(ValueError):\n        pay(cart)\n\n"
        "    with pytest.raises(ValueError):\n        cart.check()\n"
    ),
    _test(
        "def test_said(capsys):\n    order = make()\n\n    order.pay()\n\n"
        "    out = capsys.readouterr().out\n    assert out\n"
    ),
    _test("def test_pays():\n    cart = Cart(3)\n\n    assert cart.total == 3\n    assert cart.pay(2) == 1\n"),
    _test("def test_known():\n    known = make('a')\n\n    found = ensure_order('a')\n\n    assert found == known\n"),
    _test("def test_shown():\n    net = 3\n\n    gross = plus_tax(net)\n    print(gross)\n\n    assert gross == 6\n"),
    _test(
        "def test_undone(path):\n    write(path)\n\n    try:\n        result = read(path)\n    finally:\n"
        "        remove(path)\n\n    assert result\n"
    ),
    _test(
        "class TestPay(TestCase):\n    def test_pay(self):\n        sums = (1, 2)\n        for one in sums:\n"
        "            with self.subTest(one=one):\n                paid = pay(one)\n\n"
        "                self.assertEqual(paid, one)\n"
    ),
    Example({"shop/prices.py": "def test_gross():\n    result = 3\n    assert result\n"}),
    _test(
        "def test_events(log):\n    store = Store(log)\n\n    store.add(1)\n    store.drop(1)\n\n"
        "    names = [event.name for event in log]\n    assert names == ['added', 'dropped']\n"
    ),
    _test("def test_sum():\n    left = Sum(1) + Sum(2)\n    right = Sum(2) + Sum(1)\n\n    assert left == right\n"),
    _test(
        "def test_written(order, path):\n    order.name = 'a'\n\n    order.export(path)\n\n"
        "    with path.open() as file:\n        assert file.readline() == 'a'\n"
    ),
    _test(
        "def test_twice():\n    rows = make()\n\n    once = clean(rows)\n    twice = clean(once)\n\n"
        "    assert once == twice\n"
    ),
    _test(
        "def test_export(client):\n    client.login('a')\n\n    response = client.get('/export')\n\n"
        "    lines = b''.join(response.streaming_content).splitlines()\n    assert len(lines) == 3\n"
    ),
    _test(
        "def test_all(store):\n    names = store.names\n\n    for name in names:\n        store.drop(name)\n\n"
        "    assert not store.names\n"
    ),
    _test(
        "def test_pages(shop):\n    shop.size = 2\n\n    pages = []\n    for number in range(3):\n"
        "        pages.append(shop.page(number))\n\n    assert pages == [[], [], []]\n"
    ),
    _test(
        "def test_all(orders):\n    first = orders[0]\n\n    first.pay()\n\n    for order in orders:\n"
        "        order.refresh_from_db()\n    assert first.paid\n"
    ),
    _test(
        "def test_keys(client):\n    client.name = 'a'\n    response = client.get('/')\n\n"
        "    keys = keys_of(response.request)\n\n    assert keys == []\n"
    ),
    _test(
        "def test_feed(client):\n    Order().save()\n\n    page = client.get('/feed')\n\n"
        "    feed = json.loads(page.data)\n    assert feed == []\n"
    ),
    _test(
        "from tests.git import git\n\n\ndef test_state(repo):\n    git(repo, 'init')\n\n    assert is_new(repo)\n"
        "    git(repo, 'add', '-A')\n    assert not is_new(repo)\n"
    ),
    _test(
        "def test_pay(order, other):\n    pay(order)\n\n    assert order.paid\n    check(other)\n    print(order)\n"
        "    assert not other.paid\n"
    ),
)
