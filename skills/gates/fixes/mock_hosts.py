"""Which function a stand-in belongs to, and how that function gets the `mocker` fixture."""

import libcst as cst

from skills.gates.fixes.cst import last_name
from skills.gates.fixes.document import Document
from skills.gates.fixes.model import CannotFix
from skills.record import record


@record
class Host:
    """A test or fixture function, which pytest calls with fixtures by name."""

    function: cst.FunctionDef

    def has_mocker(self) -> bool:
        """Whether it takes the fixture already."""
        parameters = self.function.params
        return any(one.name.value == "mocker" for one in (*parameters.params, *parameters.kwonly_params))

    def take_mocker(self, document: Document) -> None:
        """Note the change that adds the parameter."""
        if self.has_mocker():
            return
        hinted = self.function.returns is not None or any(
            one.annotation is not None for one in self.function.params.params
        )
        if hinted:
            document.imports.need("pytest_mock", "MockerFixture")
        document.change(self.function, lambda now: _with_mocker(now, hinted))


def host_of(document: Document, node: cst.CSTNode) -> Host:
    """The outermost function around a node, where pytest calls it. Raises `CannotFix`, saying why not."""
    functions: list[cst.FunctionDef] = []
    owner: cst.ClassDef | None = None
    inside: cst.CSTNode = node
    for above in document.around(node):
        if isinstance(above, cst.Param) and above.default is inside:
            raise CannotFix("a stand-in is the default of a parameter")
        if isinstance(above, cst.Decorator):
            owned = document.parents[above]
            if isinstance(owned, cst.ClassDef):
                raise CannotFix(f"the class {owned.name.value} is patched as a whole")
            if last_name(above.decorator) not in ("patch", "object", "dict"):
                raise CannotFix("a stand-in stands in a decorator, which runs before any fixture")
        if isinstance(above, cst.FunctionDef):
            functions.append(above)
        if isinstance(above, cst.ClassDef):
            if owner is not None or not functions:
                raise CannotFix(f"a stand-in belongs to the class {above.name.value}, not to one test")
            owner = above
        inside = above
    if not functions:
        raise CannotFix("a stand-in is made when the file is imported, before any fixture")
    function = functions[-1]
    _check(function, owner)
    return Host(function)


def _check(function: cst.FunctionDef, owner: cst.ClassDef | None) -> None:
    name = function.name.value
    if owner is not None and (owner.bases or not owner.name.value.startswith("Test")):
        raise CannotFix(f"methods of {owner.name.value} may not take fixtures (unittest.TestCase cannot)")
    names = [last_name(one.decorator) for one in function.decorators]
    if "given" in names:
        raise CannotFix(f"{name} is run many times by Hypothesis, with one fixture for all of them")
    if not (name.startswith("test") or _is_fixture(function)):
        raise CannotFix(f"`{name}` is neither a test nor a fixture: pytest does not call it")
    parameters = function.params
    if parameters.posonly_params or isinstance(parameters.star_arg, cst.Param):
        raise CannotFix(f"`{name}` takes parameters that are no fixtures")


def _is_fixture(function: cst.FunctionDef) -> bool:
    for one in function.decorators:
        if last_name(one.decorator) not in ("fixture", "async_fixture"):
            continue
        for argument in one.decorator.args if isinstance(one.decorator, cst.Call) else ():
            is_scope = argument.keyword is not None and argument.keyword.value == "scope"
            if is_scope and not (
                isinstance(argument.value, cst.SimpleString) and argument.value.raw_value == "function"
            ):
                raise CannotFix(f"the fixture `{function.name.value}` lives longer than one test")
        return True
    return False


def _with_mocker(now: cst.FunctionDef, hinted: bool) -> cst.FunctionDef:
    """The function with the parameter behind those without a default."""
    annotation = cst.Annotation(cst.Name("MockerFixture")) if hinted else None
    new = cst.Param(cst.Name("mocker"), annotation)
    parameters = list(now.params.params)
    index = next((at for at, one in enumerate(parameters) if one.default is not None), len(parameters))
    gap = _without_comment(now.whitespace_before_params)
    if index < len(parameters) or now.params.kwonly_params or now.params.star_kwarg:
        whitespace = gap if isinstance(gap, cst.ParenthesizedWhitespace) else cst.SimpleWhitespace(" ")
        parameters.insert(index, new.with_changes(comma=cst.Comma(whitespace_after=whitespace)))
    elif parameters:
        parameters[-1:] = _behind(parameters, new, gap)
    else:
        parameters.append(new)
        open_line = now.whitespace_before_params
        if not (isinstance(open_line, cst.ParenthesizedWhitespace) and open_line.first_line.comment):
            now = now.with_changes(whitespace_before_params=cst.SimpleWhitespace(""))
    return now.with_changes(params=now.params.with_changes(params=parameters))


def _behind(parameters: list[cst.Param], new: cst.Param, gap: cst.BaseParenthesizableWhitespace) -> list[cst.Param]:
    """The last parameter and the new one behind it: each on its line where they are, a comment where it was, and the
    bracket where it stood."""
    last = parameters[-1]
    if isinstance(last.comma, cst.Comma):
        end = last.comma.whitespace_after
        between: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
        if isinstance(end, cst.ParenthesizedWhitespace):
            between = end.with_changes(indent=True, last_line=_indented(gap))
        comma = last.comma.with_changes(whitespace_after=between)
        return [
            last.with_changes(comma=comma),
            new.with_changes(comma=last.comma.with_changes(whitespace_after=_without_comment(end))),
        ]
    end = last.whitespace_after_param
    above = parameters[-2].comma if len(parameters) > 1 else None
    between = above.whitespace_after if isinstance(above, cst.Comma) else cst.SimpleWhitespace(" ")
    if isinstance(between, cst.ParenthesizedWhitespace):
        kept = end.first_line if isinstance(end, cst.ParenthesizedWhitespace) else between.first_line
        between = between.with_changes(first_line=kept, empty_lines=[])
        end = _without_comment(end)
    return [
        last.with_changes(comma=cst.Comma(whitespace_after=between), whitespace_after_param=cst.SimpleWhitespace("")),
        new.with_changes(whitespace_after_param=end),
    ]


def _indented(gap: cst.BaseParenthesizableWhitespace) -> cst.SimpleWhitespace:
    return gap.last_line if isinstance(gap, cst.ParenthesizedWhitespace) else cst.SimpleWhitespace("    ")


def _without_comment(gap: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    if not isinstance(gap, cst.ParenthesizedWhitespace):
        return gap
    first = gap.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
    return gap.with_changes(first_line=first, empty_lines=[])
