"""Jinja for texts that anybody may write: nothing of Python, no files, no modules, and a bounded cost.

Jinja's own immutable sandbox forbids what it knows as unsafe. Here a text can read only what `attributes.py` and its
`functions` list. Everything that repeats, grows, or calls is counted by `core/sandbox/budget.py` before it runs. Jinja
must not compute constants while it compiles: that would be outside of the budget.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from jinja2 import (
	StrictUndefined,
	Template,
	TemplateRuntimeError,
	TemplateSyntaxError,
	Undefined,
	nodes,
	pass_eval_context,
)
from jinja2.compiler import CodeGenerator, operators
from jinja2.lexer import TokenStream
from jinja2.runtime import LoopContext, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape, soft_str

from drip_campaigns.core.sandbox.bounds import OPERATORS, TEXT_METHODS, format_text
from drip_campaigns.core.sandbox.budget import SHORT, TooCostlyError, budget, check, check_items, each
from drip_campaigns.rendering.sandbox.attributes import readable_of
from drip_campaigns.rendering.sandbox.filters import make_filters, make_tests

LONGEST_SOURCE = 1_000_000  # characters
MOST_TOKENS = 20_000
LONGEST_OUTPUT = 2_000_000
LONGEST_STRFTIME = 100
_STEPS_OF_A_RECURSION = 20
_OF_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_PLAIN = (str, int, float, Markup)


class TextNamespace(Namespace):
	"""Jinja's namespace, which would print all that it holds, as often as it holds it."""

	def __repr__(self) -> str:
		return "namespace"


def _range(*args: int) -> range:
	found = range(*args)
	check_items(len(found))
	return found


BASIC_NAMES: Mapping[str, Any] = {
	"range": _range,
	"dict": dict,
	"cycler": Cycler,
	"joiner": Joiner,
	"namespace": TextNamespace,
}


class Names:
	"""Functions under a common name, as `frappe.utils.flt`: read-only."""

	__slots__ = ("_names",)

	def __init__(self, names: Mapping[str, Any]) -> None:
		self._names = names

	def __repr__(self) -> str:
		return "functions"

	def find(self, name: str) -> Any:
		"""Return what has this name, or None."""
		return self._names.get(name)


class _Counter(NodeTransformer):
	"""Makes loops and macros take steps of the budget for each round: as many as they have nodes."""

	def visit_For(self, node: nodes.For) -> nodes.For:
		self.generic_visit(node)
		steps = _count((*node.body, *([node.test] if node.test else ())))
		node.iter = _call("each", node.iter, nodes.Const(steps))
		return node

	def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:
		return self._count_calls(node)

	def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.CallBlock:
		return self._count_calls(node)

	def _count_calls(self, node: Any) -> Any:
		self.generic_visit(node)
		node.body.insert(
			0, nodes.ExprStmt(_call("spend", nodes.Const(_count(node.body)))).set_lineno(node.lineno)
		)
		return node


def _call(name: str, *args: nodes.Expr) -> nodes.Call:
	return nodes.Call(nodes.EnvironmentAttribute(name), list(args), [], None, None)


def _count(tree: Iterable[nodes.Node]) -> int:
	"""Return the number of nodes, without those of inner loops and macros, which count their own."""
	total = 0
	waiting = list(tree)
	while waiting:
		node = waiting.pop()
		total += 1
		if not isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock):
			waiting.extend(node.iter_child_nodes())
	return total


class _BoundedCode(CodeGenerator):
	"""Compiles what the sandbox of Jinja leaves to Python into calls of the environment."""

	def visit_List(self, node: nodes.List, frame: Any) -> None:
		self._checked(super().visit_List, node, frame)

	def visit_Dict(self, node: nodes.Dict, frame: Any) -> None:
		self._checked(super().visit_Dict, node, frame)

	def visit_Tuple(self, node: nodes.Tuple, frame: Any) -> None:
		if node.ctx == "load":
			self._checked(super().visit_Tuple, node, frame)
		else:
			super().visit_Tuple(node, frame)

	def visit_Compare(self, node: nodes.Compare, frame: Any) -> None:
		self.write("(")
		self._checked(self.visit, node.expr, frame)
		for operand in node.ops:
			self.visit(operand, frame)
		self.write(")")

	def visit_Operand(self, node: nodes.Operand, frame: Any) -> None:
		self.write(f" {operators[node.op]} ")
		self._checked(self.visit, node.expr, frame)

	def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:
		self.write("environment.join(context.eval_ctx, (")
		for arg in node.nodes:
			self.visit(arg, frame)
			self.write(", ")
		self.write("))")

	def visit_Getitem(self, node: nodes.Getitem, frame: Any) -> None:
		if not isinstance(node.arg, nodes.Slice):
			super().visit_Getitem(node, frame)
			return
		self.write("environment.cut(")
		self.visit(node.node, frame)
		for part in (node.arg.start, node.arg.stop, node.arg.step):
			self.write(", ")
			self.visit(part or nodes.Const(None), frame)
		self.write(")")

	def _checked(self, visit: Callable[[Any, Any], None], node: nodes.Node, frame: Any) -> None:
		if _is_short(node) or visit == self.visit and isinstance(node, nodes.List | nodes.Dict | nodes.Tuple):
			visit(node, frame)  # what is not short is checked by its own visit
			return
		self.write("environment.check(")
		visit(node, frame)
		self.write(")")


def _is_short(node: nodes.Node) -> bool:
	"""Return whether a value is written in the text, and no list of lists."""
	items = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
	return all(isinstance(item, nodes.Const) and len(str(item.value)) <= SHORT for item in items)


class TextTemplate(Template):
	"""A template that cannot take more than its budget, however often it is filled."""

	def render(self, *args: Any, **kwargs: Any) -> str:
		"""Return the text; raise TooCostlyError as a TemplateRuntimeError, and what the text itself raises."""
		with budget.begin():
			try:
				return super().render(*args, **kwargs)
			except (TooCostlyError, RecursionError, MemoryError, OverflowError) as error:
				raise TextTooCostlyError(str(TooCostlyError())) from error


class TextTooCostlyError(TemplateRuntimeError):
	"""Filling a text takes too many steps or too much memory."""


@pass_eval_context  # so that Jinja does not compute constants while it compiles
def _finalize(_eval_context: Any, value: Any) -> Any:
	if value is None:
		return ""
	if type(value) is str and len(value) <= SHORT:
		return value
	if type(value) in _PLAIN or isinstance(value, Undefined):
		return check(value)
	if callable(value):
		name = getattr(value, "__name__", None) or getattr(value, "name", None) or "it"
		raise TemplateRuntimeError(f"{name} is a function. Write {name}(...) to use it.")
	return check(value)


class TextEnvironment(ImmutableSandboxedEnvironment):
	"""The environment of texts. It has no state of its own, so that all threads can share one."""

	code_generator_class = _BoundedCode
	template_class = TextTemplate
	intercepted_binops = frozenset(OPERATORS)
	each, check, spend = staticmethod(each), staticmethod(check), staticmethod(budget.spend)

	def __init__(
		self, *, autoescape: bool, names: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]]
	) -> None:
		super().__init__(
			undefined=StrictUndefined,
			autoescape=autoescape,
			finalize=_finalize,
			optimized=False,
			cache_size=0,
		)
		self.globals = {**BASIC_NAMES, **names}
		self.filters, self.tests = make_filters(filters), make_tests()
		self.binop_table = dict(OPERATORS)

	def getattr(self, obj: Any, attribute: str) -> Any:
		"""Return what a text can read of a value by a name."""
		kind = type(obj)
		if kind is Names:
			found = obj.find(attribute)
			return self.undefined(obj=obj, name=attribute) if found is None else found
		if attribute.startswith("_"):
			return self.unsafe_undefined(obj, attribute)
		if isinstance(obj, Undefined):
			return obj.__getattr__(attribute)  # raises
		if attribute in readable_of(kind):
			return self._read(obj, attribute)
		if isinstance(obj, Mapping) and attribute in obj:
			return obj[attribute]
		if kind is TextNamespace:
			return getattr(obj, attribute, self.undefined(obj=obj, name=attribute))
		return self.undefined(obj=obj, name=attribute)

	def getitem(self, obj: Any, argument: Any) -> Any:
		"""Return what a text can read of a value by a name or a number."""
		if isinstance(obj, str | list | tuple | range | Mapping):
			try:
				return obj[argument]
			except (TypeError, LookupError):
				pass
		if isinstance(argument, str):
			return self.getattr(obj, str(argument))
		if isinstance(obj, Undefined):
			return obj[argument]
		return self.undefined(obj=obj, name=argument)

	def cut(self, obj: Any, start: Any, stop: Any, step: Any) -> Any:
		"""Return a part of a text or a list."""
		if not isinstance(obj, str | list | tuple | range | Undefined):
			return self.undefined(obj=obj, name="slice")
		return check(check(obj)[start:stop:step])

	def join(self, eval_context: Any, parts: Iterable[Any]) -> str:
		"""Return what `~` makes of its sides."""
		whole = [soft_str(check(part)) for part in parts]
		check(whole)
		return (markup_join if eval_context.autoescape else str_join)(whole)

	def concat(self, pieces: Iterable[str]) -> str:
		"""Return the pieces of an output as one text."""
		whole = pieces if isinstance(pieces, list) else list(pieces)
		length = sum(map(len, whole))
		budget.spend(length >> 6)
		if length > LONGEST_OUTPUT:
			raise TooCostlyError
		return "".join(whole)

	def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
		"""Call what a text can call; count the call, and what goes in and out."""
		budget.enter()
		try:
			for value in args:
				check(value)
			if type(function) is LoopContext:  # of a recursive loop
				args = (each(args[0], _STEPS_OF_A_RECURSION), *args[1:])
			return check(super().call(context, function, *args, **kwargs))
		finally:
			budget.leave()

	def _read(self, obj: Any, attribute: str) -> Any:
		if not isinstance(obj, str):
			if attribute == "strftime":
				return partial(_strftime, obj)
			try:
				return getattr(obj, attribute)
			except AttributeError:  # a day has no hour
				return self.undefined(obj=obj, name=attribute)
		check(obj)
		if attribute == "format":
			return partial(_format, obj)
		if attribute in TEXT_METHODS:
			return partial(TEXT_METHODS[attribute], obj)
		return getattr(obj, attribute)

	def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
		if len(source) > LONGEST_SOURCE:
			raise TemplateSyntaxError(f"it has more than {LONGEST_SOURCE} characters", 1)
		try:
			tree = super()._parse(source, name, filename)
			forbidden = next(tree.find_all(_OF_FILES), None)
		except RecursionError as error:
			raise TemplateSyntaxError("it is nested too deeply", 1) from error
		except ValueError as error:  # a number with thousands of digits
			raise TemplateSyntaxError(str(error), 1) from error
		if forbidden:
			word = type(forbidden).__name__.lower().replace("fromimport", "import")
			raise TemplateSyntaxError(f"{word} is not possible in a text", forbidden.lineno)
		return tree

	def _tokenize(
		self, source: str, name: str | None, filename: str | None = None, state: str | None = None
	) -> TokenStream:
		return TokenStream(_count_tokens(super()._tokenize(source, name, filename, state)), name, filename)

	def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
		return super()._generate(_Counter().visit(source), *args, **kwargs)

	def compile(self, source: Any, *args: Any, **kwargs: Any) -> Any:
		"""Compile a text; raise TemplateSyntaxError for what Python cannot compile."""
		with budget.begin():
			try:
				return super().compile(source, *args, **kwargs)
			except (RecursionError, MemoryError, SyntaxError) as error:
				raise TemplateSyntaxError("it is nested too deeply", 1) from error


def _count_tokens(stream: TokenStream) -> Iterator[Any]:
	for number, token in enumerate(stream):
		if number >= MOST_TOKENS:
			raise TemplateSyntaxError("it has too many placeholders and statements", token.lineno)
		yield token


def _format(text: str, *args: Any, **kwargs: Any) -> str:
	if not isinstance(text, Markup):
		return format_text(text, *args, **kwargs)
	named = {name: _escape(value) for name, value in kwargs.items()}
	return Markup(format_text(str(text), *map(_escape, args), **named))  # nosec B704 # Markup with escaped values


def _escape(value: Any) -> Any:
	return value if isinstance(value, int | float) else escape(value)


def _strftime(moment: Any, form: str) -> str:
	if len(form) > LONGEST_STRFTIME or re.search(r"%[^A-Za-z%]*\d", form):
		raise TooCostlyError
	return moment.strftime(form)
