"""The type stubs say what is there, and everything that is there is explained."""

import ast
import inspect
import pathlib
import re

import pytest

import cssrun
from cssrun import _cssrun

FOLDER = pathlib.Path(cssrun.__file__).parent
STUB = ast.parse((FOLDER / "_cssrun.pyi").read_text())


def parameters_of(function):
    """Of a stub's function, without self."""
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name != "self"]


def parameters_in(signature):
    """Of the first line of a docstring by pybind11, without self."""
    inside = signature[signature.index("(") + 1 : signature.rindex(") ->")]
    # Types and defaults may hold commas of their own.
    names = re.findall(r"(?:^|, )(\w+)(?=: )", re.sub(r"\[[^\[\]]*\]", "", inside))
    return [name for name in names if name != "self"]


def functions_of(body):
    return [node for node in body if isinstance(node, ast.FunctionDef)]


def test_every_public_name_has_a_stub_and_the_other_way_round():
    stubbed = {node.name for node in STUB.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    stubbed |= {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign)}
    there = {name for name in vars(_cssrun) if not name.startswith("_")}
    assert stubbed - {"convert"} == there - {"convert"}
    assert set(cssrun.__all__) - {"Ending"} == there - {"version"}


def test_classes_have_the_members_that_stubs_give_them():
    for node in STUB.body:
        if not isinstance(node, ast.ClassDef):
            continue
        actual = getattr(_cssrun, node.name)
        public = {name for name in vars(actual) if not name.startswith("_")}
        assert {function.name for function in functions_of(node.body)} == public, node.name


def test_functions_have_the_parameters_that_stubs_give_them():
    seen = 0
    for owner, body in [(_cssrun, STUB.body)] + [
        (getattr(_cssrun, node.name), node.body) for node in STUB.body
        if isinstance(node, ast.ClassDef)
    ]:
        for function in functions_of(body):
            actual = getattr(owner, function.name, None)
            if actual is None or isinstance(actual, property):
                continue
            signature = actual.__doc__.splitlines()[0]
            if "**kwargs" in signature:  # the rest are session's
                session = parameters_in(_cssrun.Network.session.__doc__.splitlines()[0])
                expected = parameters_in(signature) + session
            else:
                expected = parameters_in(signature)
            assert parameters_of(function) == expected, function.name
            seen += 1
    assert seen >= 9


def test_everything_is_documented():
    assert "cssrun.load" in cssrun.__doc__
    for name in cssrun.__all__:
        thing = getattr(cssrun, name)
        if isinstance(thing, (str, int)):
            continue
        assert inspect.getdoc(thing), name
        if isinstance(thing, type) and not issubclass(thing, (Exception, int)):
            for member, value in vars(thing).items():
                if not member.startswith("_"):
                    assert inspect.getdoc(value), f"{name}.{member}"


def test_the_version_is_the_projects():
    text = (pathlib.Path(__file__).parents[2] / "CMakeLists.txt").read_text()
    assert cssrun.__version__ == re.search(r"project\(cssrun VERSION (\S+)", text)[1]
    assert (FOLDER / "py.typed").exists()


def test_type_checkers_agree(tmp_path):
    stubtest = pytest.importorskip("mypy.stubtest")
    # What every class of pybind11 has: a metaclass of its own, and __init__(*args, **kwargs).
    allowed = tmp_path / "allowed"
    allowed.write_text("".join(
        rf"cssrun(\._cssrun)?\.{node.name}(\.__init__)?" "\n"
        for node in STUB.body if isinstance(node, ast.ClassDef)))
    options = stubtest.parse_options([
        "cssrun", "--ignore-missing-stub", "--concise", "--allowlist", str(allowed),
        "--ignore-unused-allowlist"])
    assert stubtest.test_stubs(options) == 0
