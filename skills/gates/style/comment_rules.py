"""Rules of the skill code-style-enforcer about comments: switched-off code, the code told again, other languages."""

import ast

from skills.gates.engine.context import FileContext
from skills.gates.engine.patterns import lazy
from skills.gates.engine.roles import is_migration_path
from skills.gates.engine.syntax import statements
from skills.gates.rule import STRICT, Example, Rule, Watch
from skills.gates.style.comments import commented_code, comments, in_string, is_code
from skills.gates.style.languages import HINTS, foreign_language
from skills.gates.style.restated import restating

SKILL = "code-style-enforcer"
_QUOTED = lazy(r"""(["'])(?:(?!\1).)*\1""")  # what a comment quotes is not its own language
NOISY, NOT_ENGLISH = "noisy-comment", "non-english-comment"


def _place(line: int, text: str, context: FileContext) -> ast.Constant:
    """Something at the place of a comment, which is no node of the tree."""
    whole = context.lines[line - 1]
    start = len(whole[: whole.find(text)].encode())
    return ast.Constant(text, lineno=line, end_lineno=line, col_offset=start, end_col_offset=start + len(text.encode()))


def _symbols(context: FileContext) -> list[tuple[int, int, str]]:
    """(first line, last line, qualified name) of every function and class, outer ones first."""
    found: list[tuple[int, int, str]] = []
    for node in statements(context.tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            outer = _symbol_at(node.lineno, found)
            found.append((node.lineno, node.end_lineno or node.lineno, f"{outer}.{node.name}".lstrip(".")))
    return found


def _symbol_at(line: int, spans: list[tuple[int, int, str]]) -> str:
    return next((name for first, last, name in reversed(spans) if first <= line <= last), "")


def _on_noise(node: ast.Module, context: FileContext) -> None:
    found = [(line, text, "Code that was commented out") for line, text in commented_code(context)]
    found += [(line, text, "A comment that says what the code says") for line, text in restating(context)]
    spans = _symbols(context) if found else []
    for line, text, what in sorted(found):
        shown = text if len(text) <= 60 else f"{text[:59]}…"
        place = _place(line, text, context)
        context.statement = place
        context.report(NOISY, place, f"{what}: `{shown}`", symbol=_symbol_at(line, spans))


def _on_language(node: ast.Module, context: FileContext) -> None:
    spans = _symbols(context)
    last_line, last_language = 0, ""
    for line, text, _ in comments(context):
        language = foreign_language(_QUOTED.sub("", text))
        if language is None or is_code(text) or in_string(line, context):
            continue
        if line == last_line + 1 and language == last_language:  # one finding for a block of comments
            last_line = line
            continue
        last_line, last_language = line, language
        place = _place(line, text, context)
        context.statement = place
        message = f"A comment in {language}: the project's comments are in English"
        context.report(NOT_ENGLISH, place, message, confidence="likely", symbol=_symbol_at(line, spans))
    for found in (node, *statements(node)):
        if isinstance(found, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and found.body:
            language = foreign_language(ast.get_docstring(found, clean=False) or "")
            if language is not None:
                place_of = found.body[0]
                context.statement = place_of
                message = f"A docstring in {language}: the project's comments are in English"
                symbol = _symbol_at(place_of.lineno, spans)
                context.report(NOT_ENGLISH, place_of, message, confidence="likely", symbol=symbol)


def _is_checked(path: str) -> bool:
    return not is_migration_path(path)


def _may_hold_code(path: str) -> bool:
    """False for Sphinx's `docs/conf.py`, which comes with every option written down and switched off."""
    folder, _, name = path.rpartition("/")
    return _is_checked(path) and not (name == "conf.py" and "doc" in folder)


def _module(source: str) -> Example:
    return Example({"shop/prices.py": source})


noisy_comment = Rule(
    name=NOISY,
    gate="P2",
    severity="LOW",
    skill=SKILL,
    sources=("BN-S7", "D34"),
    catches="Code that was commented out, and comments that only say what the line of code says.",
    why="Nobody knows whether switched-off code still works, why it is there, or who may delete it; the history keeps "
    "it anyway. What repeats a line is read twice, and is wrong after the line has changed.",
    fix="Delete it; the repository's history has it. Say in a comment why, where the code cannot.",
    when="In comments that stand alone on their line and parse as a statement, as the head of a block, as a line of "
    "a call, list or dict, or as a decorator above what it was to decorate; in short ones of which each word "
    "is a name or the shape of the one line that they are about, and in `# Arrange`, `# Act`, `# Assert`. Not for "
    "headings, prose, doctests, tool comments, inline script metadata and the options of "
    "Sphinx's `docs/conf.py`. Off unless a profile asks for it.",
    watches=(Watch((ast.Module,), _on_noise, (b"#",), _may_hold_code),),
    profiles=STRICT,
    bad=(
        _module("# net = gross / 2\nrate = 1\n"),
        _module("def f(x):\n    # print(x)\n    # return x\n    return 2 * x\n"),
        _module("# import os\n# from a import b\n"),
        _module("# net, tax = split(gross), None\n# rate: int = 3\n# print 'net', net\nrate = 1\n"),
        _module("# SHOP = 'http://localhost:80'\nSHOP = 'https://shop.example'\n"),
        _module("# @functools.cache\ndef rates():\n    return load()\n"),
        _module("# for x in range(3):\n#     pay(x)\nrate = 1\n"),
        _module("# try:\n# except ValueError:\n# else:\nrate = 1\n"),
        _module("#    else  :\n# } )]\nrate = 1\n"),
        _module("RATES = {\n    # 'de': 19,\n    'at': 20,\n}\n"),
        _module("APPS = [\n    'shop',\n    # 'mail',\n]\nKINDS = [\n    # (2, 'two'),\n    (1, 'one'),\n]\n"),
        _module("# TEMPLATES = [\n#     'a',\n# ]\n"),
        _module("def f(rows):\n    total = 0  # set total to 0\n    # loop over the rows\n    for row in rows:\n"
                "        total += row  # add row to total\n    # if total is equal to 0\n    if total == 0:\n"
                "        save.total = total  # store total\n    # return the total\n    return total\n"),
        _module("class Shop:\n    # constructor\n    def __init__(self):\n        self.prices = load()  # the prices\n"
                "\n    # get price by id\n    def get_price_by_id(self, id):\n        # check if price is known\n"
                "        if id in self.known_prices:\n            # send the price\n"
                "            self.sender.send(self.known_prices[id])\n"),
        _module("def net_price(gross):\n    # Return the net price\n    return gross / (1 + RATE)\n"),
        Example({"tests/test_prices.py": "def test_net():\n    # Arrange\n    gross = 2\n\n    # Act & Assert\n"
                                         "    assert net(gross) == 1\n"}),
    ),
    good=(
        _module("# The rate is what the law says (since 2007): 19.\nrate = 19\n"),
        _module("# rounded=False (default)\n# NET, rate=-1\nrate = 1\n"),
        _module("APPS = [\n    # 'shop', 'mail',\n    # 'and others',\n    load(),\n]\n"),
        _module("# If this were not so, for example,\n# pay(order, twice=True)\n# would ask twice for it.\nrate = 1\n"),
        _module("# {'name': 'Ann', 'rates': [1],\n#  'city': 'Graz', 'zip': None,\n#  'id': 3}\nrate = 1\n"),
        _module("RATES = {\n    # Return rate\n    'return_rate': 1,\n}\n# Update gross rate\nnet = gross_rate(1)\n"),
        Example({"docs/conf.py": "# The paper size of the printed manual.\n# paper = 'a4'\nproject = 'Shop'\n"}),
        _module("# Load the rates\nrates = []\nfor file in files:\n    rates += read(file)\n"),
        _module("# Create the prices\nnet = create_price(1)\ngross = create_price(2)\ntax = create_price(3)\n"),
        _module("# PRICES\nprices = load()\n# Sorting\nby_price = sort(prices)\n"),
        _module("def price(gross):\n    # Return the net price\n    return gross / (1 + RATE)\n"),
        _module("# Return a copy, since callers change what they get\nrates = load()\nsave(\n    1,  # save\n)\n"),
        _module("# Set rates of today\ndef set_rates_of_today_and_others():\n    pass\n"),
        _module("# @author ann\ndef f(): ...\n\n\n# @shop.cached\nrate = 1\n"
                "# print it, 'net' or gross\n# note: rate = 3\n"),
        _module("# if needed:\n# note: see the manual\n# e.g. pay(order) twice\nrate = 1\n"),
        _module('TEXT = """\n# net = 3\n"""\n'),
        _module("# -----\n# price()\n# -----\nrate = 1\n"),
        _module("rates = load()\n# type: list[int]\n"),
        _module("# type: ignore\n# pylint: disable=C0103\n# -*- coding: utf-8 -*-\n# fmt: off\nrate = 1\n"),
        _module("# /// script\n# dependencies = [\n#   'rich',\n# ]\n# ///\n"),
        _module("rate = 1  # net = 3\n#: documented\n# return early\n# because it is late\nx = 1\n"),
    ),
)  # fmt: skip

non_english_comment = Rule(
    name=NOT_ENGLISH,
    gate="P2",
    severity="INFO",
    skill=SKILL,
    sources=("BN-S7",),
    catches="Comments and docstrings in a language other than English.",
    why="Whoever joins later, and every tool that reads comments, knows English; two languages in one file split the "
    "words for one thing in two.",
    fix="Translate it into English, or delete it where the code says it already.",
    when="Where the alphabet is not Latin, or at least two of its frequent words are Spanish, Portuguese, French, "
    "German, Italian, Dutch, Polish or Turkish and they outnumber the English ones. A guess by words, so never more "
    "than a hint.",
    watches=(Watch((ast.Module,), _on_language, HINTS, _is_checked),),
    bad=(
        _module("# Obtener el usuario para validar los datos\nrate = 1\n"),
        _module("rate = 1  # el valor por defecto para los clientes\n"),
        _module("# Comprueba antes si el campo puede ser nulo\nrate = 1\n"),
        _module("# De prijs wordt niet getoond als deze leeg is\nrate = 1\n"),
        _module("# Jeśli cena jest pusta, nie zapisz jej\nrate = 1\n"),
        _module("# Das ist der Preis, der nicht für alle gilt\nrate = 1\n"),
        _module("# on ne fait qu'un calcul, même pour l'ancien taux en francs\nrate = 1\n"),
        _module("# primero el precio, luego la tasa dos veces\nrate = 1\n"),
        _module("# non cambiare mai le colonne dello schema\nrate = 1\n"),
        _module("# цена без налога\nrate = 1\n"),
        _module("# 价格不含税\nrate = 1\n"),
        _module('def f() -> None:\n    """Devuelve el valor de los pedidos."""\n'),
    ),
    good=(
        _module('LANGUAGES = [\n    # ("el", "Ελληνικά"),  # Greek\n]\n'),
        _module("# Get the user to validate the data, no more\nrate = 1\n"),
        _module("# São Paulo and El Paso are die-hard customers\nrate = 1\n"),
        _module("# per se, ad hoc, et al.\nrate = 1\n"),
        _module("# The word for user is usuario, or Benutzer und so on\nrate = 1\n"),
        _module("# µ, π and é are fine in a formula: Σ of all\nNAME = 'para los que el'\n"),
    ),
)

RULES: tuple[Rule, ...] = (noisy_comment, non_english_comment)
