"""Decides how many forwarders there should be, as KEDA and the autoscaler that it feeds do of a ScaledObject."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Queue:
    """What the triggers read of the job stream."""

    # Entries that no forwarder has taken; None where Redis does not know.
    lag: int | None
    # Entries that wait or run.
    length: int


class Scaler:
    def __init__(self, scaled_object):
        spec = scaled_object["spec"]
        self.least, self.most = spec["minReplicaCount"], spec["maxReplicaCount"]
        self._triggers = [trigger["metadata"] for trigger in spec["triggers"]]
        (policy,) = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]["policies"]
        assert policy["type"] == "Pods"
        self._down = policy["value"]

    def wanted(self, queue):
        """For each trigger the value over its target (`AverageValue`), the largest of these within the bounds."""
        numbers = [self._number(trigger, queue) for trigger in self._triggers]
        return min(max(*numbers, self.least), self.most)

    def next(self, queue, running):
        """The number to go to: up at once, down by as many as the policy allows in one period."""
        return max(self.wanted(queue), running - self._down)

    @staticmethod
    def _number(trigger, queue):
        if "lagCount" in trigger:
            # KEDA's Redis client reads a lag that is not known as -1.
            return math.ceil((-1 if queue.lag is None else queue.lag) / int(trigger["lagCount"]))
        return math.ceil(queue.length / int(trigger["streamLength"]))
