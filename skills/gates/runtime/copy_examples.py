"""Examples of the rule redundant-data-copies: (bad, good)."""

from skills.gates.rule import Example

_PATH = "shop/stock.py"

COPY_BAD: tuple[Example, ...] = (
    Example({_PATH: "sizes = ('s', 'm')\n\nfor size in list(sizes):\n    print(size)\n"}),
    Example({_PATH: "def f():\n    sizes = ['s', 'm']\n    for size in sizes.copy():\n        print(size)\n"}),
    Example({_PATH: "def f(x):\n    for size in list({x, 2}):\n        print(size)\n"}),
    Example({_PATH: "def f():\n    sizes = ['s', 'm']\n    for size in sizes[:]:\n        print(size)\n"}),
    Example({_PATH: "def f():\n    sizes = {'s', 'm'}\n    return [size.upper() for size in list(sizes)]\n"}),
    Example({_PATH: "def f():\n    sizes = ['s', 'm']\n    for n, size in enumerate(list(sizes)):\n"
             "        print(n, size)\n"}),
    Example({_PATH: "def f(n):\n    for i in list(range(n)):\n        print(i)\n"}),
    Example({_PATH: "def f(rows):\n    found = {}\n    for row in rows:\n        found[row.key] = row\n"
             "    for key, row in list(found.items()):\n        print(key, row)\n"}),
    Example({_PATH: "def f(x):\n    return sorted(x.copy(), key=len)\n"}),
    Example({_PATH: "def f(x):\n    return dict(x).copy()\n"}),
    Example({_PATH: "def f(x):\n    return list(x.copy())\n"}),
    Example({_PATH: "def f(rows):\n    names = {r.id: r.name for r in rows}\n    known = dict(names)\n"
             "    return [known[r.id] for r in rows]\n"}),
    Example({_PATH: "import copy\nimport json\n\n\ndef f(text):\n    return copy.deepcopy(json.loads(text))\n"}),
    Example({_PATH: "import pandas as pd\n\n\ndef f(path):\n    frame = pd.read_csv(path).copy()\n"
             "    frame['n'] = 1\n    return frame\n"}),
    Example({_PATH: "import numpy as np\n\n\ndef f(n):\n    return np.array(np.zeros(n))\n"}),
    Example({_PATH: "import numpy as np\n\n\nclass Shop:\n    def __init__(self):\n        self.rooms = []\n\n"
             "    def f(self):\n        for room in list(self.rooms):\n            print(room)\n"}),
    Example({_PATH: "import torch\n\n\ndef f(n):\n    return torch.zeros(n).clone()\n"}),
    Example({_PATH: "import pandas as pd\n\n\ndef f(frame: pd.DataFrame):\n"
             "    open_ = frame[frame.open > 0].copy()\n    return open_.total.sum()\n"}),
    Example({_PATH: "def f(path):\n    return list(path.split('/'))\n"}),
    Example({_PATH: "def f(n):\n    return bytes(n.encode())\n"}),
    Example({_PATH: "def f(x):\n    return (x | {'a': 1}).copy()\n"}),
    Example({_PATH: "def f(path):\n    return path.split('/')[:]\n"}),
    Example({_PATH: "def f(rows):\n    names = []\n    for row in rows:\n        names.append(row.name)\n"
             "    return list(names)\n"}),
    Example({_PATH: "import tomllib\n\n\ndef f(text):\n    data = tomllib.loads(text)\n    data = dict(data)\n"
             "    data['x'] = 1\n    return data\n"}),
    Example({_PATH: "def f(names):\n    return ', '.join(list(names.keys()))\n"}),
    Example({_PATH: "def f(names, more):\n    names.extend(list(more))\n"}),
    Example({_PATH: "def f(names):\n    return len(list(names.keys()))\n"}),
    Example({_PATH: "def f(names, sizes):\n    return dict(zip(list(names), sizes))\n"}),
    Example({_PATH: "def f(names):\n    for name in list(names.keys()):\n        print(name, names[name])\n"}),
    Example({_PATH: "class Shop:\n    def f(self):\n        return [room for room in self.rooms.copy()]\n"}),
    Example({_PATH: "class Shop:\n    def f(self):\n        rooms = self.rooms[:]\n"
             "        return sum(room for room in rooms)\n"}),
    Example({_PATH: "class Shop:\n    def __init__(self):\n        self.rooms = set()\n\n"
             "    def f(self):\n        rooms = list(self.rooms)\n        return len(rooms)\n"}),
    Example({_PATH: "class Shop:\n    def f(self):\n        names = []\n"
             "        for name, room in self.rooms.copy().items():\n            names.append((name, len(room)))\n"
             "        return names\n"}),
    Example({_PATH: "SIZES = {'s': 1}\n\n\ndef f():\n    sizes = dict(SIZES)\n    return sizes['s']\n"}),
    Example({_PATH: "import os\n\n\ndef f():\n    env = os.environ.copy()\n    return env.get('HOME')\n"}),
    Example({_PATH: "class Shop:\n    def f(self):\n        rooms = list(self.rooms.keys())\n"
             "        return 'a' in rooms\n"}),
    Example({_PATH: "import pandas as pd\n\n\ndef f(a, b):\n    return pd.concat([a.copy(), b])\n"}),
    Example({_PATH: "def f(**options):\n    mine = options.copy()\n    return mine.get('x')\n"}),
    Example({_PATH: "def f(*names):\n    return tuple(names)\n"}),
    Example({_PATH: "def f(xs, x):\n    return x in xs[:]\n"}),
    Example({_PATH: "def f(xs):\n    return sum(map(len, list(xs)))\n"}),
    Example({_PATH: "import json\n\n\ndef f(xs):\n    return json.dumps(xs.copy()), dict.fromkeys(list(xs))\n"}),
    Example({_PATH: "from itertools import chain\n\n\ndef f(xs, ys):\n    for x in chain(list(xs), ys):\n"
             "        print(x)\n"}),
    Example({_PATH: "import copy\n\n\ndef f():\n    return copy.deepcopy(dict(a=1))\n"}),
    Example({_PATH: "def f(load):\n    rows = list(load('x'))\n    for row in rows:\n        print(row)\n"}),
    Example({_PATH: "class Shop:\n    def f(self):\n        for room in list(self.find()):\n"
             "            print(room)\n"}),
    Example({_PATH: "def f(load):\n    rows = load()\n    mine = rows.copy()\n    return len(mine)\n"}),
    Example({_PATH: "def f(rows):\n    for row in [r for r in rows]:\n        print(row)\n"}),
    Example({_PATH: "import json\n\n\ndef f(text):\n    return json.loads(text)['rows'].copy()\n"}),
    Example({_PATH: "class Shop:\n    def f(self):\n        rooms: list[str] = self.rooms[:]\n"
             "        return len(rooms)\n"}),
    Example({_PATH: "import pandas as pd\n\n\nclass Shop:\n    rooms: list[str]\n\n    def f(self):\n"
             "        rooms = list(self.rooms)\n        return [a == b for a, b in zip(rooms, rooms[1:])]\n"}),
    Example({_PATH: "import numpy as np\n\n\nclass Shop:\n    def f(self):\n        rooms = self.rooms.copy()\n"
             "        return (rooms ** 2).sum()\n"}),
    Example({_PATH: "class Shop:\n    def f(self):\n        rooms = self.rooms.copy()\n"
             "        return rooms[0] if rooms else None\n"}),
    Example({_PATH: "import numpy as np\n\n\nclass Shop:\n    def __init__(self, rooms):\n"
             "        self.rooms = list(rooms)\n\n    def f(self):\n        rooms = self.rooms[:]\n"
             "        return sum(1 for room in rooms if room)\n"}),
)  # fmt: skip
COPY_GOOD: tuple[Example, ...] = (
    Example({_PATH: "SIZES = {'s': 1}\n\n\ndef f(size):\n    known = list(SIZES.keys())\n"
             "    raise ValueError(f'{size} is none of {known}')\n"}, note="a view reads otherwise"),
    Example({_PATH: "def f(sizes: list):\n    for size in list(sizes):\n        sizes.remove(size)\n"}),
    Example({_PATH: "def f():\n    sizes = ['s']\n    for size in list(sizes):\n        sizes.append(size)\n"}),
    Example({_PATH: "def f():\n    sizes = ['s']\n    for size in sizes[:]:\n        sizes.remove(size)\n"}),
    Example({_PATH: "HOOKS = []\n\n\ndef fire():\n    for hook in list(HOOKS):\n        hook()\n"},
            note="a hook may remove itself"),
    Example({_PATH: "def f(rows):\n    names = {r.id: r.name for r in rows}\n    mine = dict(names)\n"
             "    mine['x'] = 1\n    return mine, names\n"}),
    Example({_PATH: "def f(rows):\n    names = [r.name for r in rows]\n    before = list(names)\n"
             "    names.sort()\n    return before == names\n"}),
    Example({_PATH: "def f(rows):\n    names = [r.name for r in rows]\n    mine = names.copy()\n    mine += ['x']\n"
             "    print(mine, names)\n"}),
    Example({_PATH: "def f(rows):\n    found = {}\n    for row in rows:\n        found[row.key] = row\n"
             "    for key, row in list(found.items()):\n        if row.old:\n            found.pop(key)\n"}),
    Example({_PATH: "def f(self):\n    found = {}\n    self.found = found\n    self.fill()\n"
             "    for row in list(found.values()):\n        row.close()\n"}, note="a close may take the row out"),
    Example({_PATH: "def f():\n    sizes = {'s', 'm'}\n    for size in reversed(list(sizes)):\n"
             "        print(size)\n"}, note="sets have no end"),
    Example({_PATH: "def f():\n    left = ['s', 'm']\n    return [left.pop() for size in list(left)]\n"}),
    Example({_PATH: "def f(queryset):\n    rows = list(queryset)\n    return len(rows), rows[0]\n"}),
    Example({_PATH: "import copy\n\n\ndef f(base, more):\n    made = copy.deepcopy({'base': base})\n"
             "    mine = copy.deepcopy(base)\n    mine.update(more)\n    return made, mine\n"}),
    Example({_PATH: "import pandas as pd\n\n\ndef f(frame: pd.DataFrame):\n"
             "    open_ = frame[frame.open > 0].copy()\n    open_['n'] = 1\n    words = list(frame.a.str.split())\n"
             "    return open_, words\n"}, note="a part of a frame that is changed"),
    Example({_PATH: "import torch\n\n\ndef f(x, sizes):\n    return x.detach().clone(), list(x.split(sizes))\n"}),
    Example({_PATH: "import numpy as np\n\n\ndef f(x):\n    y = np.asarray(x).copy()\n    y[0] = 1\n"
             "    return y, np.array(x, dtype=float)\n"}),
    Example({_PATH: "from collections import defaultdict\n\n\ndef f(rows):\n    groups = defaultdict(list)\n"
             "    for row in rows:\n        groups[row.key].append(row)\n    return dict(groups)\n"},
            note="a conversion"),
    Example({_PATH: "def f(rows):\n    batch = []\n    for row in rows:\n        batch.append(row)\n"
             "        if len(batch) > 9:\n            yield list(batch)\n            batch.clear()\n"}),
    Example({_PATH: "def f(keys):\n    none = {'a': 0}\n    return {key: dict(none) for key in keys}\n"},
            note="one for each"),
    Example({_PATH: "class Shop:\n    def f(self):\n        for room in list(self.rooms):\n"
             "            room.close()\n"},
            note="a close may take the room out"),
    Example({_PATH: "class Shop:\n    async def f(self):\n        rooms = self.rooms.copy()\n"
             "        for room in rooms:\n            await room\n"}, note="others come meanwhile"),
    Example({_PATH: "import threading\n\n\nclass Shop:\n    def f(self):\n        rooms = self.rooms.copy()\n"
             "        return len(rooms)\n"}, note="other threads may change it"),
    Example({_PATH: "class Shop:\n    def f(self):\n        old = self.rooms[:]\n        self.rooms.clear()\n"
             "        return len(old)\n"}),
    Example({_PATH: "def f(schema):\n    rooms = schema['rooms']\n    for room in list(rooms.values()):\n"
             "        schema['rooms'][room['id']] = room\n"}, note="the same by another name"),
    Example({_PATH: "def f(names):\n    for name in list(names):\n        if not names[name]:\n"
             "            del names[name]\n"}),
    Example({_PATH: "HOOKS = {}\n\n\ndef add(name, hook):\n    HOOKS[name] = hook\n\n\nasync def f():\n"
             "    hooks = dict(HOOKS)\n    for name in hooks:\n        await hooks[name]\n"}),
    Example({_PATH: "def f(xs, ys):\n    for x, y in zip(list(xs), ys):\n        if y:\n            xs.remove(x)\n"
             "    ys.extend(ys[:])\n    return map(str, list(xs))\n"}),
    Example({_PATH: "def f(*names, **options):\n    mine = list(names)\n    mine.sort()\n"
             "    other = options.copy()\n    other['x'] = 1\n    return mine, other, options\n"}),
    Example({_PATH: "def f(load, xs):\n    rows = list(load())\n    for x in xs:\n        for row in rows:\n"
             "            print(x, row)\n"}, note="walked more than once"),
    Example({_PATH: "def f(box):\n    for x in tuple(box.get('a', [])):\n        box['a'].remove(x)\n"}),
    Example({_PATH: "def f(load):\n    row = load()\n    found = dict(row)\n    return found.get('x')\n"},
            note="a conversion"),
    Example({_PATH: "import copy\n\n\ndef f(base, more):\n    base.update(copy.deepcopy(more))\n"}),
    Example({_PATH: "def f(load):\n    rows = list(load())\n    return (row.name for row in rows)\n"},
            note="walked later"),
    Example({_PATH: "import numpy as np\n\n\nclass Shop:\n    def f(self):\n        rooms = self.rooms[:]\n"
             "        return sum(1 for room in rooms if room)\n"}, note="a view, if it is an array"),
    Example({_PATH: "def f(more):\n    usual = {'a': 1}\n    mine = dict(usual)\n    mine.update(more)\n"
             "    return mine\n"}),
    Example({"tests/test_a.py": "def test_a():\n    for x in list([1]):\n        assert x\n"}),
    Example({_PATH: "def f(value):\n    seen = {value, value.lower()}\n"
             "    seen.update(one[1:] for one in tuple(seen))\n    return seen\n"},
            note="the generator runs while the set grows"),
    Example({_PATH: "def f(self, start):\n    for key in list(filter(start, self.cache.keys())):\n"
             "        del self.cache[key]\n"}, note="the filter goes over what the loop changes"),
    Example({_PATH: "from cachetools import TTLCache\n\ncache = TTLCache(9, 60)\n\n\ndef of(name):\n"
             "    return [key for key, one in list(cache.items()) if one == name]\n"},
            note="a cache may forget meanwhile"),
)  # fmt: skip
