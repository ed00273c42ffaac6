# Finds calls that this project does without. Input: Swift files. Output: `file:line: why`.
# Where one has to be made all the same, `// allowed: ` and the reason stand at the end of the line or in a comment right above it.

BEGIN {
    everywhere = "."
    libraries = "^Sources/(Common|Compression|Dashboard|JSON|Queue|Redis|Text|Upstream|Ingress|Forwarder|Policies|RequestLog(Serving)?|Verifier|TraceStore)/"
    tests = "^Tests/"
    users = "^Sources/(Dashboard|Queue|Ingress|Forwarder|Policies|RequestLog(Serving)?|Verifier|TraceStore)/"
    comparison = "[!=]= \"|case \"|(hasPrefix|hasSuffix|lowercased|firstIndex)\\(|contains\\(\"|split\\(separator: \""

    # where (a pattern for the path), what (a pattern for the line), why
    add(everywhere, "try!", "try! ends the process on an error; throw it on")
    add(everywhere, "[^A-Za-z0-9_]as!", "as! ends the process on another type; use `as?` or #require")
    add(everywhere, "(^|[^A-Za-z0-9_])fatalError\\(", "fatalError ends every call in flight; throw an error")
    add(everywhere, "(^|[^A-Za-z0-9_.])Task(\\([^)]*\\))? *\\{", "a bare Task is waited for by nobody; use a task group or a Service")
    add(everywhere, "Task\\.(detached|immediate)", "a detached task is waited for by nobody; use a task group or a Service")
    add(everywhere, "Thread\\.sleep|(^|[^A-Za-z0-9_.])(usleep|nanosleep)\\(|^ *(_ = )?sleep\\(",
        "blocks a thread of the pool; wait on a clock or an event")
    add(everywhere, "nonisolated\\(unsafe\\)", "hides a data race from the compiler; use NIOLockedValueBox or an actor")
    add(everywhere, "import Synchronization", "ThreadSanitizer cannot see its Mutex on Linux; use NIOLockedValueBox")
    add(everywhere, "import FoundationNetworking", "the gateway's HTTP client is the Upstream target")
    add(libraries, "(^|[^A-Za-z0-9_.])print\\(", "a library does not print; log it")
    # The process's own environment is nobody else's.
    add(libraries, "Set<String>|[^t][:>] *\\[String *: *[A-Z\\[(]|Dictionary<String",
        "Swift hashes a String by canonical equivalence, in quadratic time for marks; key it by UTF8Text")
    add(libraries, "JSONDecoder|JSONSerialization|PropertyListDecoder",
        "Foundation compares names by canonical equivalence; read JSON with JSONObject or JSONWalker")
    add(libraries, "components\\(separatedBy|replacingOccurrences|trimmingCharacters|caseInsensitiveCompare|localizedCompare|range\\(of:",
        "Foundation goes by characters; use utf8, or the functions of the Text target")
    add(users, "(value|text|name|body|path|query)\\.(prefix|drop|filter|allSatisfy|firstIndex|contains) *\\{ *\\$0 *[!=]= *\"",
        "a closure is given a `Character`, which takes the marks behind a letter in; go over utf8 or unicodeScalars")
    add(libraries, "[A-Za-z]\\.index\\((after|before):", "a `Character` takes the marks behind a letter in; write utf8.index")
    add(tests, "Task\\.sleep", "a test that sleeps is slow or flaky; wait on a signal or move a manual clock")
}

function add(where, what, why) {
    ++rules
    path[rules] = where
    pattern[rules] = what
    reason[rules] = why
}

FNR == 1 { excused = importsText = 0 }

# The targets that export Text.
/^[a-z]+ import (Common|JSON|Redis|Text|Upstream)$/ { importsText = 1 }

/\/\/ allowed: [^ ]/ { excused = FNR + (/^ *\/\//) }

/^ *\/\// || FNR == excused { next }

{
    for (rule = 1; rule <= rules; ++rule) {
        if (FILENAME ~ path[rule] && $0 ~ pattern[rule]) {
            printf "%s:%d: %s\n", FILENAME, FNR, reason[rule]
            found = 1
        }
    }
    if (FILENAME ~ users && !importsText && $0 ~ comparison) {
        printf "%s:%d: without `import Text` or `import Common` this compares text as Swift does, not by its bytes\n", FILENAME, FNR
        found = 1
    }
}

END { exit found }
