"""What another LoRA and another strength cost, in units of one image of a full batch."""

import statistics
from dataclasses import replace

from evalharness.backends.diffusers import DiffusersMaker
from evalharness.config import compose
from evalharness.prepare import open_tools, plan_run, suite_of
from timing.arms import DRAWN, LORAS
from timing.rows import Row, timed, units


def switching(times: int) -> list[Row]:
    """What another LoRA and another strength cost, in units of one image of a full batch."""
    subjects = "subjects=[" + ",".join(f"'demo:loras/{name}.safetensors'" for name in LORAS) + "]"
    config = compose(["suite=demo", *DRAWN[1:], subjects])
    suite = suite_of(config)
    maker = open_tools(config, suite).maker
    assert isinstance(maker, DiffusersMaker)
    plan = plan_run(config, suite, maker)
    one, other = plan.subjects[1:]
    cells = [cell for cell in plan.cells if cell.subject == one.name]
    maker.generate(one, cells[:8])
    image = [timed(lambda: maker.generate(one, cells[:8])).cpu / 8 for _ in range(3)]
    loras = [timed(lambda to=to: maker.prove(to)).cpu for to in (other, one) * (times // 2)]
    # one step of one image, so that the drawing hides little
    quick = [replace(cells[0], setting=replace(cells[0].setting, steps=1), strength=level) for level in (1.0, 0.5)]
    stays, changes = [], []
    for _ in range(2 * times):
        maker.generate(one, [quick[0]])
        stays.append(timed(lambda: maker.generate(one, [quick[0]])).cpu)
        changes.append(timed(lambda: maker.generate(one, [quick[1]])).cpu)
    unit = statistics.median(image)
    strength = [(after - statistics.median(stays)) / unit for after in changes]
    return [
        units("another LoRA, loaded and proven", [one / unit for one in loras]),
        units("another strength", strength),
    ]
