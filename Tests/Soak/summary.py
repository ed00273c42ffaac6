"""The report's tables."""

from collections import Counter, defaultdict

from report import percentile


def write(report, soak):
    completions = soak.completions
    report.section("Completions", "Milliseconds from the request to the answer's end, of those that succeeded; the provider's own time is in them.")
    report.table(["kind", "completions", "succeeded", "failed", "cannot know", "p50 ms", "p99 ms"], list(kinds(completions)))
    report.section("What clients heard")
    heard = Counter((completion.kind, hearing.code) for completion in completions for hearing in completion.hearings)
    report.table(["kind", "answer", "times"], [(*what, count) for what, count in sorted(heard.items())])
    report.section("What was said of rollouts meanwhile")
    report.table(["verdict", "times"], sorted(Counter(question.code for question in soak.questions).items()))
    report.section("Calls at the provider")
    report.table(["calls of one completion", "completions"], sorted(Counter(map(len, soak.provider.records.values())).items()))
    report.section("Chaos")
    report.table(["what", "times", "s p50", "s most"], list(events(soak.chaos)))
    found = soak.facts.recoveries
    lines = [
        ("calls made again after their forwarder was lost", len(found)),
        ("s from the loss to the new call, p50", percentile(found, 0.5)),
        ("s most", max(found, default=None)),
        ("dead letters", soak.letters),
        ("MiB that Redis held at the end", soak.redis_mib),
        ("most ms until told that Redis is away", told(completions)),
        ("most ms that the clients' own loop was late", 1000 * soak.lateness.most),
    ]
    report.section("Recoveries")
    report.table(["", ""], lines)
    report.section("Memory and descriptors", "Of the processes that lived long; the slopes are those of the second half.")
    rows = [
        [
            course.role,
            round(course.life),
            course.samples[0].mib,
            course.second_half[0].mib,
            course.samples[-1].mib,
            course.slope("mib"),
            course.second_half[0].descriptors,
            course.samples[-1].descriptors,
            course.slope("descriptors"),
        ]
        for course in soak.sampler.courses
    ]
    report.table(["process", "s", "MiB first", "half", "last", "MiB a minute", "descriptors half", "last", "a minute"], rows)


def kinds(completions):
    by_kind = defaultdict(list)
    for completion in completions:
        by_kind[completion.kind].append(completion)
    for kind, group in by_kind.items():
        succeeded = [completion for completion in group if completion.succeeded]
        unknown = sum(completion.is_open for completion in group)
        took = [1000 * (max(hearing.ended for hearing in completion.hearings) - completion.began) for completion in succeeded]
        yield [kind, len(group), len(succeeded), len(group) - len(succeeded) - unknown, unknown, percentile(took, 0.5), percentile(took, 0.99)]


def events(chaos):
    by_what = defaultdict(list)
    for event in chaos.events:
        by_what[f"{event.what} {event.target.partition('-')[0]}"].append(event.ended - event.began)
    for what, took in sorted(by_what.items()):
        yield [what, len(took), percentile(took, 0.5), max(took)]


def told(completions):
    """The longest that an answer took which said that Redis is away."""
    took = [hearing.ended - hearing.began for each in completions for hearing in each.hearings if hearing.code.endswith("queue_unavailable")]
    return 1000 * max(took, default=0)
