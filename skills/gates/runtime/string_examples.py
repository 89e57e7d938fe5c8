"""Examples of the rule string-concat-in-loop: (bad, good)."""

from skills.gates.rule import Example

_PATH = "shop/report.py"

STRING_BAD: tuple[Example, ...] = (
    Example(
        {_PATH: "def table(rows):\n    html = ''\n    for row in rows:\n        html += f'<tr>{row}</tr>'\n"
         "    return html\n"}
    ),
    Example({_PATH: "def lines(n):\n    text = 'x'\n    for i in range(1000):\n        text = text + str(i)\n"
             "    return text\n"}),
    Example({_PATH: "def stack(rows):\n    text = ''\n    while rows:\n        text = rows.pop() + text\n"
             "    return text\n"}),
    Example({_PATH: "def lines(rows):\n    text = ''\n    for row in rows:\n        text = f'{text}{row}'\n"
             "    return text\n"}),
    Example({_PATH: "def join(names):\n    out = ''\n    for name in names:\n        if name:\n"
             "            out += name\n    return out\n"}),
    Example({_PATH: "def read(sock):\n    data = b''\n    while True:\n        part = sock.recv(9)\n"
             "        if not part:\n            break\n        data += part\n    return data\n"}),
    Example({_PATH: "def f(rows, text: str):\n    for row in rows:\n        for cell in row:\n"
             "            text += cell\n    return text\n"}),
    Example({_PATH: "def f(rows):\n    page = {'body': ''}\n    for row in rows:\n"
             "        page['body'] += f'<tr>{row}</tr>'\n    return page\n"}),
    Example({_PATH: "def f(parts):\n    answer = {'role': 'bot', 'text': ''}\n    for part in parts:\n"
             "        answer['text'] += part.text\n    return answer\n"}),
    Example({_PATH: "def f(rows):\n    text = None\n    for row in rows:\n        if text is None:\n"
             "            text = ''\n        text += row.name\n    return text\n"}),
    Example({_PATH: "class Page:\n    def fill(self, rows):\n        for row in rows:\n"
             "            self.body = self.body + '<p>' + row\n"}),
    Example({_PATH: "def f(rows):\n    text = ''\n    for row in rows:\n"
             "        text = '%s, %s' % (text, row)\n    return text\n"}),
    Example({_PATH: "def f(rows):\n    text = ''\n    for row in rows:\n"
             "        text = '{}, {}'.format(text, row)\n    return text\n"}),
    Example({_PATH: "def f(rows):\n    text = ''\n    for row in rows:\n"
             "        text = ''.join([text, row])\n    return text\n"}),
    Example({_PATH: "class Page:\n    def add(self, rows):\n        for row in rows:\n"
             "            self.body += '<tr>%s</tr>' % row\n"}),
    Example({_PATH: "def f(sock, n):\n    data = b''\n    while len(data) < n:\n        data += sock.recv(n)\n"
             "    return data\n"}),
    Example({_PATH: "class Page:\n    def __init__(self):\n        self.body = ''\n\n    def add(self, rows):\n"
             "        for row in rows:\n            self.body += row.text\n"}),
    Example({_PATH: "from collections import defaultdict\n\n\ndef f(rows):\n    texts = defaultdict(str)\n"
             "    for row in rows:\n        texts[row.key] += row.text\n    return texts\n"}),
    Example({_PATH: "def f(rows):\n    texts = {}\n    for row in rows:\n"
             "        texts[row[0]] = texts.get(row[0], '') + row[1]\n    return texts\n"}),
    Example({_PATH: "class Page:\n    head: str\n\n    def show(self, text, rows):\n        for row in rows:\n"
             "            text = text + self.head\n        return text\n"}),
    Example({_PATH: "class Page:\n    def __init__(self, head: str):\n        self.head = head\n\n"
             "    def show(self, text, rows):\n        for row in rows:\n            text += self.head\n"
             "        return text\n"}),
    Example({_PATH: "def f(rows):\n    page = {'head': ['a', 'b']}\n    for row in rows:\n"
             "        page['head'][1] += str(row)\n    return page\n"}),
)  # fmt: skip
STRING_GOOD: tuple[Example, ...] = (
    Example({_PATH: "def table(rows):\n    return ''.join(f'<tr>{row}</tr>' for row in rows)\n"}),
    Example({_PATH: "def total(rows):\n    n = 0\n    found = []\n    for row in rows:\n        n += row.n\n"
             "        found += [row]\n    return n, found\n"}),
    Example({_PATH: "def lines(rows):\n    for row in rows:\n        text = ''\n        text += row.name\n"
             "        print(text)\n"}, note="starts anew on every turn"),
    Example({_PATH: "def f(rows):\n    for row in rows:\n        row['name'] += 'x'\n"
             "        row[row.key] += 'y'\n        rows[-1]['name'] += 'z'\n"},
            note="a text of each row"),
    Example({_PATH: "def f(rows):\n    text = None\n    for row in rows:\n        if text is None:\n"
             "            text = ''\n        text += row.name\n        if row.last:\n            yield text\n"
             "            text = None\n"}, note="starts anew now and then"),
    Example({_PATH: "def f(rows):\n    counts = {'n': 0, 'text': ''}\n    for row in rows:\n"
             "        counts['n'] += row.n\n    return counts\n"}),
    Example({_PATH: "def f(rows):\n    for row in rows:\n        row.name += ' (x)'\n"
             "        row.label = '%s (x)' % row.label\n"}, note="a text of each row"),
    Example({_PATH: "def f(rows, base):\n    for row in rows:\n        name = '%s-%s' % (base, row)\n"
             "        print(name)\n"}),
    Example({_PATH: "def first(rows):\n    text = ''\n    for row in rows:\n        if row.ok:\n"
             "            text += row.name\n            break\n    return text\n"}),
    Example({_PATH: "def f(rows):\n    path = ''\n    for row in rows:\n        path = f'{path}/{row}'\n"
             "        found.append(path)\n    return found\n"}, note="each of them is needed"),
    Example({_PATH: "def free(name, taken):\n    while name in taken:\n        name += '_'\n    return name\n"}),
    Example({_PATH: "def f(rows):\n    sizes = [0] * 3\n    for row in rows:\n        sizes[row.n] += row.size\n"
             "    return sizes\n"}),
    Example({_PATH: "def f(a, b):\n    text = ''\n    text += a\n    return text\n"}),
    Example({"tests/test_report.py": "def test_a():\n    x = ''\n    for i in 'ab':\n        x += i\n"
             "    assert x\n"}),
    Example({_PATH: "class Page:\n    def __init__(self, step: int, head):\n        self.step = step\n"
             "        self.head = head\n\n    def sum(self, total, rows):\n        for row in rows:\n"
             "            total += self.step\n            total = total + self.head\n        return total\n"}),
    Example({_PATH: "def f(pages):\n    for page in pages:\n        page['head'][1] += str(page)\n"},
            note="another page in each turn"),
    Example({_PATH: "def f(rows):\n    text = ''\n    for row in rows:\n        text += row.name\n"
             "        print(text)\n"},
            note="each of them is shown"),
)  # fmt: skip
