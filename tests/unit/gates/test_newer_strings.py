"""f-strings of newer Pythons, read by their text: what LibCST would make of them, without LibCST."""

import ast
import sys

import pytest

from skills.gates.engine.lowering import lower
from skills.gates.engine.lowering_visitor import lowered
from skills.gates.engine.newer_strings import without_nested_quotes

NESTED = {
    "the same quotes": "x = f'{names['first']} and {\n  names['last']}'\n",
    "a call with texts": 'raise Error(f"no [{", ".join(names)}] for {key}") from f"{a}"\n',
    "inside each other": "x = f'{f'{f'{a}'}' + b['c']}' + f\"{f'{d}'}\"\n",
    "an inner one that is read": 'x = f"""{ f"{y["a"]}" }\n"""; z = f"""{f\'{a}\'}"""\n',
    "fields in the format": "x = f'{value:{width['a']}.{precision}} {other:>{n}}' % f'{a:}'\n",
    "names of characters": "x = f'\\N{DIGIT ONE} {a['b']}' + rf'\\N{c['d']}'\n",
    "doubled braces": "x = f'{{not {a['b']}}} {{}}'\n",
    "backslashes": "x = f'it\\'s {'\\n'.join(a)} \\\\' + rf'\\{a['b']}\\''\n",
    "comments in fields": "x = f'''{\n  a['''b''']  # it's } the first\n}'''\n",
    "quotes in comments and texts": "# it's f'\ny = 'f\"' 'it\\'s' + b'f\\''\nx = f'{a['b']}'\n",
    "dictionaries and lambdas": "x = f'{ {'a': 1}['a'] } {(lambda: 'b')()} {c!r:>{d}}'\n",
    "comparisons and walruses": "x = f'{a != 'b'} {(y := 'c')} {d=}'\n",
    "every prefix": "x = F'{a['b']}' + Rf'{a['b']}' + fR'{a['b']}' + rb'{' + u'{'\n",
    "letters beyond ASCII": "x = f'é {'ü'} {ä['ö']}'\ny = 'ß'\n",
    "carriage returns": "x = f'''{\r\n  a['''b''']}'''\r\ny = 1\r\n",
    "beside each other": "x = (f'{a['b']}' 'c' f'{d}'\n  f'{e['f']}')\n",
}


@pytest.mark.parametrize("source", NESTED.values(), ids=NESTED.keys())
def test_texts_are_read_as_libcst_reads_them(source: str) -> None:
    expected = lowered(source.encode())

    found = without_nested_quotes(source.encode())

    assert found is not None
    assert ast.dump(ast.parse(found), include_attributes=True) == ast.dump(ast.parse(expected), include_attributes=True)


@pytest.mark.parametrize("source", ["x = f'{a", "x = f'{a['b'", "x = f'{a:{b}", "x = '''a", "f'{" * 5_000])
def test_texts_without_an_end_are_left_alone(source: str) -> None:
    assert without_nested_quotes(source.encode()) is None


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="nothing to lower: this Python reads them itself")
def test_libcst_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libcst", None)

    for source in NESTED.values():
        assert lower(source.encode()) is not None
