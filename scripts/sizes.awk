# Measures files and functions. Input: Swift files in swift-format's layout. Output: `file:line: what is too long`.
# A body begins at a declaration and ends at the first line with the same indentation that begins with a brace; counted are all its lines.
# -v file_limit=LINES -v function_limit=LINES

function close_declaration() {
    if (declared && FNR - declared + 1 > function_limit) {
        printf "%s:%d: a body of %d lines, and none may pass %d: take a step with a name of its own out of it\n", FILENAME, declared,
            FNR - declared + 1, function_limit
        found = 1
    }
    declared = 0
}

FNR == 1 { declared = 0 }

FNR == file_limit + 1 {
    printf "%s:%d: the file passes %d lines: move an aspect to a Type+aspect.swift\n", FILENAME, FNR, file_limit
    found = 1
}

/^[ \t]*$/ { next }

{
    match($0, /^ */)
    depth = RLENGTH
    text = substr($0, depth + 1)
}

declared && depth == indentation && text ~ /^}/ { close_declaration(); next }
# A declaration without a body (a protocol's requirement) ends where anything but its own closing parenthesis or `where` follows it.
declared && depth <= indentation && text !~ /^(\)|where |"""|#)/ { declared = 0 }

!declared && text ~ /^([a-z@][A-Za-z()]* +)*(func|init|deinit|subscript|var|let)([ ?(<{]|$)/ && text !~ /}$/ {
    declared = FNR
    indentation = depth
}

END { exit found }
