"""Before and after of the rewrite to `mocker`."""

from skills.gates.fixes.model import FixExample


def _example(before: str, after: str = "", reason: str = "") -> FixExample:
    return FixExample("bare-mock", before, after, "shop/tests/test_mail.py", reason)


EXAMPLES: tuple[FixExample, ...] = (
    _example(
        "from unittest.mock import ANY, Mock, patch\n\nfrom shop import mail\n\n\n"
        "def test_sent():\n    gateway = Mock(spec=mail.Gateway)\n\n    mail.send(gateway)\n\n"
        "    gateway.push.assert_called_once_with(ANY)\n",
        "from unittest.mock import ANY\n\nfrom shop import mail\n\n\n"
        "def test_sent(mocker):\n    gateway = mocker.Mock(spec=mail.Gateway)\n\n    mail.send(gateway)\n\n"
        "    gateway.push.assert_called_once_with(ANY)\n",
    ),
    _example(
        'from unittest.mock import patch\n\n\ndef test_order_mailed():\n    with patch("shop.mail.send") as send:\n'
        "        place_order()\n    send.assert_called_once()\n",
        'def test_order_mailed(mocker):\n    send = mocker.patch("shop.mail.send")\n\n    place_order()\n\n'
        "    send.assert_called_once()\n",
    ),
    _example(
        "from unittest.mock import (\n    ANY,  # anything\n    patch,\n)\n\n\ndef test_order_mailed():\n"
        '    with (\n        # the door\n        patch("shop.mail.send") as send,  # out\n'
        '        patch("shop.mail.load"),  # in\n    ):\n        place_order()\n'
        "    send.assert_called_once_with(ANY)\n",
        "from unittest.mock import (\n    ANY,  # anything\n)\n\n\ndef test_order_mailed(mocker):\n"
        '    # the door\n    send = mocker.patch("shop.mail.send")  # out\n'
        '    mocker.patch("shop.mail.load")  # in\n\n    place_order()\n\n'
        "    send.assert_called_once_with(ANY)\n",
    ),
    _example(
        "import pytest\nfrom unittest import mock\n\n\n@pytest.mark.django_db\n"
        '@mock.patch("shop.pay.charge", return_value=3)  # no money\n@mock.patch.object(Order, "save")\n'
        '@mock.patch.dict("os.environ", {"A": "1"})\n'
        "def test_paid(save, charge, client):\n    client.post(\n        URL,\n    )\n\n"
        "    save.assert_called_once()\n",
        "import pytest\n\n\n@pytest.mark.django_db\n"
        "def test_paid(client, mocker):\n"
        '    mocker.patch.dict("os.environ", {"A": "1"})\n    save = mocker.patch.object(Order, "save")\n'
        '    mocker.patch("shop.pay.charge", return_value=3)  # no money\n\n'
        "    client.post(\n        URL,\n    )\n\n    save.assert_called_once()\n",
    ),
    _example(
        "import pytest\nfrom unittest.mock import patch\n\n\n@pytest.fixture\ndef order():\n"
        '    with patch("shop.mail.send"):\n        return place_order()\n',
        reason="leave its patch to the test",
    ),
    _example(
        "from unittest.mock import patch\n\nfrom shop import mail\n\n\ndef test_rate():\n"
        '    with patch.object(mail, "RATE", 3):\n        mail.send()\n    assert mail.RATE == 1\n',
        reason="needs the real object again",
    ),
    _example(
        "import unittest.mock as um\n\nimport pytest\n\n\n@pytest.fixture\ndef gateway() -> object:\n"
        '    with um.patch("shop.gateway", new_callable=um.AsyncMock) as made, open("x"):\n        yield made\n',
        "import pytest\nfrom pytest_mock import MockerFixture\n\n\n@pytest.fixture\n"
        "def gateway(mocker: MockerFixture) -> object:\n"
        '    made = mocker.patch("shop.gateway", new_callable=mocker.AsyncMock)\n\n'
        '    with open("x"):\n        yield made\n',
    ),
    _example(
        "from unittest.mock import call, patch\n\n\nclass TestMail:\n    def test_twice(\n        self,\n"
        '        order,\n    ):\n        with patch("shop.mail.send"):\n            order.place()\n\n'
        '        with patch("shop.mail.send") as send:\n            order.place()\n'
        "        assert send.mock_calls == [call(1)]\n",
        "from unittest.mock import call\n\n\nclass TestMail:\n    def test_twice(\n        self,\n        order,\n"
        '        mocker,\n    ):\n        mock_send = mocker.patch("shop.mail.send")\n\n        order.place()\n'
        "        mocker.stop(mock_send)\n\n"
        '        send = mocker.patch("shop.mail.send")\n\n        order.place()\n\n'
        "        assert send.mock_calls == [call(1)]\n",
    ),
    _example(
        "from unittest.mock import patch\n\n\ndef test_twice(order):\n    with (\n        patch(\n"
        '            "shop.mail.send",\n            spec=True,\n        ) as send,\n        patch("shop.pay"),\n'
        "    ):\n        send.return_value = 3\n        order.place()\n\n    assert send.called\n",
        "def test_twice(order, mocker):\n    send = mocker.patch(\n"
        '        "shop.mail.send",\n        spec=True,\n    )\n    mocker.patch("shop.pay")\n'
        "    send.return_value = 3\n\n    order.place()\n\n    assert send.called\n",
    ),
    _example(
        "from unittest.mock import Mock\n\n\ndef test_pay(pay: Mock) -> None:\n    pay.side_effect = Mock()\n\n"
        "    assert pay()\n",
        "from unittest.mock import Mock\n\nfrom pytest_mock import MockerFixture\n\n\n"
        "def test_pay(pay: Mock, mocker: MockerFixture) -> None:\n    pay.side_effect = mocker.Mock()\n\n"
        "    assert pay()\n",
    ),
    _example(
        "from unittest import TestCase\nfrom unittest.mock import Mock\n\n\nclass PayTests(TestCase):\n"
        "    def test_pay(self):\n        self.assertTrue(Mock().pay())\n",
        reason="may not take fixtures",
    ),
    _example(
        "from unittest.mock import Mock\n\ngateway = Mock()\n\n\ndef test_pay():\n    assert gateway.pay()\n",
        reason="before any fixture",
    ),
    _example(
        "from unittest.mock import Mock\n\n\ndef make():\n    return Mock()\n\n\ndef test_pay():\n    assert make()\n",
        reason="neither a test nor a fixture",
    ),
    _example(
        "import pytest\nfrom unittest.mock import Mock\n\n\n@pytest.fixture(scope='session')\ndef pay():\n"
        "    return Mock()\n\n\ndef test_pay(pay):\n    assert pay()\n",
        reason="lives longer than one test",
    ),
    _example(
        "from unittest.mock import patch\n\n\n@patch('shop.pay')\nclass TestPay:\n    def test_pay(self, pay):\n"
        "        assert pay\n",
        reason="as a whole",
    ),
    _example(
        "from unittest.mock import patch\n\n\ndef test_pay():\n    for name in NAMES:\n        with patch(name):\n"
        "            assert pay()\n",
        reason="outlive",
    ),
    _example(
        "from unittest.mock import patch\n\n\ndef test_pay():\n    patcher = patch('shop.pay')\n    patcher.start()\n"
        "    assert pay()\n",
        reason="to be started elsewhere",
    ),
    _example(
        'from unittest.mock import patch\n\n\n@patch("shop.mail.send")\ndef test_mailed(\n    send, order, site\n):\n'
        "    order.place()\n\n    send.assert_called_once()\n",
        "def test_mailed(\n    order, site, mocker\n):\n"
        '    send = mocker.patch("shop.mail.send")\n\n    order.place()\n\n    send.assert_called_once()\n',
    ),
    _example(
        'from unittest.mock import patch\n\n\n@patch("shop.mail.send")\ndef test_mailed(\n    send,\n\n    # the one\n'
        "    order,  # noqa: F811\n):\n    order.place()\n\n    send.assert_called_once()\n",
        "def test_mailed(\n    # the one\n    order,  # noqa: F811\n    mocker,\n):\n"
        '    send = mocker.patch("shop.mail.send")\n\n    order.place()\n\n    send.assert_called_once()\n',
    ),
    _example(
        'from unittest.mock import patch\n\n\n@patch("shop.mail.send")\ndef test_mailed(\n    send,\n):\n'
        "    place()\n\n    send.assert_called_once()\n",
        'def test_mailed(mocker):\n    send = mocker.patch("shop.mail.send")\n\n    place()\n\n'
        "    send.assert_called_once()\n",
    ),
)
