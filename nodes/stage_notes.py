"""What nodes know of a stage, as its page in the admin console shows it."""

from apis.models import Stage
from nodes.queries import refusals_of, stage_live, stage_problem


def notes(stage: Stage) -> list[tuple[str, str]]:
    """Say where the stage's newest state is live, and why it is not as it should be."""
    live = stage_live(stage)
    lines = [("Live on", f"{live.live} of {live.up} nodes that are up")]
    problem = stage_problem(stage)
    if problem:
        lines.append(("Problem", problem))
    return lines + [(f"Node {name}", text) for name, text in refusals_of("stage", stage.pk)]
