"""Validates a flow: every jump has a target, every loop waits, and no loop sends an email twice.

The flow is a graph: edges lead from each enabled step to the possible next steps, with the least hours between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from drip_campaigns.core.errors import (
	DuplicateLabelError,
	InvalidFlowError,
	LoopSendsError,
	LoopWithoutWaitError,
	UnknownLabelError,
)
from drip_campaigns.core.flow.step_flow import Otherwise
from drip_campaigns.core.flow.wait_kind import OnTimeout
from drip_campaigns.core.model import Placed, Plan, Step, StepType

Edges = dict[str, dict[str, int]]  # from a step to the steps after it, with the least hours between
MOST_HOURS = 10 * 366 * 24


def validate_flow(plan: Plan) -> None:
	"""Raise the InvalidPlanError that fits, with field and step, unless every way through `plan` ends or waits."""
	labels: set[str] = set()
	for step in plan.steps:
		if step.label and step.label in labels:
			raise DuplicateLabelError(
				f"Two steps have the label {step.label!r}.", field="label", step=step.id
			)
		labels.add(step.label)
		_validate_step(plan, step)
	edges = find_edges(plan)
	for step in plan.steps:
		if not (step.enabled and step.acts):
			continue
		# A step whose conditions are not met was not handled: an enrollment may come back to it.
		if step.id in _reachable(edges, *_find_ways(plan, step, _handled_ways(step))):
			raise LoopSendsError(field="next_step", step=step.id)
	immediate = {source: _without_delay(ways) for source, ways in edges.items()}
	for source in immediate:
		if source in _reachable(immediate, *immediate[source]):
			raise LoopWithoutWaitError(field="next_step", step=source)


def find_unreachable(plan: Plan) -> list[str]:
	"""Return the enabled steps that no way leads to, in row order."""
	edges = find_edges(plan)
	first = next((placed.step.id for placed in plan.order if placed.step.enabled), None)
	reached = _reachable(edges, first) if first else set()
	return [step.id for step in plan.steps if step.enabled and step.id not in reached]


def find_looped(plan: Plan) -> frozenset[str]:
	"""Return the enabled steps in a loop, and those that a loop leads to."""
	edges = find_edges(plan)
	looped = [step for step, ways in edges.items() if step in _reachable(edges, *ways)]
	return frozenset(_reachable(edges, *looped))


def find_edges(plan: Plan) -> Edges:
	"""Return the possible next steps of each enabled step, with the least hours between them."""
	return {step.id: _find_ways(plan, step, _all_ways(step)) for step in plan.steps if step.enabled}


def _validate_step(plan: Plan, step: Step) -> None:
	flow = step.flow
	for field, label in flow.named_steps:
		if not label:
			raise UnknownLabelError("Choose the step to go to.", field=field, step=step.id)
		if label not in plan.ids:
			raise UnknownLabelError(f"No step has the label {label!r}.", field=field, step=step.id)
	if step.type is StepType.WAIT and flow.awaited is None:
		raise InvalidFlowError("Choose what the step waits for.", field="wait_for", step=step.id)
	if not 0 <= flow.expires_after_hours <= MOST_HOURS:
		raise InvalidFlowError("The hours must not be negative.", field="expires_after_hours", step=step.id)
	if flow.awaited and not 0 <= flow.awaited.limit_hours <= MOST_HOURS:
		raise InvalidFlowError("The limit must not be negative.", field="wait_limit_days", step=step.id)


def _find_ways(plan: Plan, step: Step, labels: Iterable[str]) -> dict[str, int]:
	source, ways = plan.placed[step.id], {}
	for label in labels:
		target = _find_target(plan, source, label)
		if target is not None:
			hours = _hours_between(plan, source, target, label)
			ways[target.step.id] = min(ways.get(target.step.id, hours), hours)
	return ways


def _all_ways(step: Step) -> Iterator[str]:
	"""Yield the labels of the possible next steps; an empty one is the next in order."""
	flow, awaited = step.flow, step.flow.awaited
	yield from _handled_ways(step)
	if flow.conditions and flow.otherwise is Otherwise.GO_TO_STEP:
		yield flow.otherwise_step
	if awaited and awaited.limit_hours and awaited.on_timeout is OnTimeout.GO_TO_STEP:
		yield awaited.on_timeout_step


def _handled_ways(step: Step) -> Iterator[str]:
	"""Yield the labels of the possible next steps after a step ran or was skipped for good."""
	if step.type is not StepType.END:
		yield step.flow.next_step
	if step.flow.conditions and step.flow.otherwise is Otherwise.SKIP:
		yield ""


def _find_target(plan: Plan, source: Placed, label: str) -> Placed | None:
	"""Return the labeled step or the next one or, if it is disabled, the first enabled one after it."""
	if label:
		earliest = plan.placed[plan.ids[label]].place
		return next((one for one in plan.order if one.step.enabled and one.place >= earliest), None)
	return next((one for one in plan.order if one.step.enabled and one.place > source.place), None)


def _hours_between(plan: Plan, source: Placed, target: Placed, label: str) -> int:
	named = plan.placed[plan.ids[label]] if label else None
	if named is None or (named.chain_row == named.row and named.place > source.place):
		return target.hours - source.hours
	return named.step.delay_hours + target.hours - named.hours


def _without_delay(ways: dict[str, int]) -> dict[str, int]:
	return {target: hours for target, hours in ways.items() if hours <= 0}


def _reachable(edges: Edges, *first: str) -> set[str]:
	reached, waiting = set(first), list(first)
	while waiting:
		for target in edges[waiting.pop()]:
			if target not in reached:
				reached.add(target)
				waiting.append(target)
	return reached
