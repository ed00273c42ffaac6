internal import Crypto
internal import JSON

extension Verdict {
    /// The verdict as clients get it:
    /// `{"rollout_id","project_id","verdict","expected","traced","in_flight","failed","missing":[…],"checked_at"}`, and
    /// `reason` in front of `checked_at` if it is `unknown`.
    package var json: [UInt8] {
        var out = jsonWithoutTime
        out.append(contentsOf: #","checked_at":"#.utf8)
        JSONText.append(checkedAt.iso8601, to: &out)
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// A validator (RFC 9110 §8.8.3) for the same finding, whenever it was made: weak, since `checked_at` may differ.
    package var entityTag: String {
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: jsonWithoutTime).prefix(16).flatMap {
            [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
        }
        return "W/\"\(String(decoding: hash, as: UTF8.self))\""
    }

    /// Whether a client that sent this `If-None-Match` has the verdict already (RFC 9110 §13.1.2).
    package func isKnown(to ifNoneMatch: String?) -> Bool {
        guard let ifNoneMatch else { return false }
        let opaque = entityTag.dropFirst(2)
        return ifNoneMatch.split(separator: ",").contains { tag in
            let space = UInt8(ascii: " ")
            let tag = Substring(tag.utf8.drop { $0 == space }.prefix { $0 != space })
            return tag == "*" || (tag.hasPrefix("W/") ? tag.dropFirst(2) : tag) == opaque
        }
    }

    private var jsonWithoutTime: [UInt8] {
        var out = Array(#"{"rollout_id":"#.utf8)
        JSONText.append(rollout.name, to: &out)
        out.append(contentsOf: #","project_id":"#.utf8)
        JSONText.append(rollout.project, to: &out)
        out.append(contentsOf: #","verdict":""#.utf8)
        out.append(contentsOf: kind.rawValue.utf8)
        out.append(
            contentsOf:
                #"","expected":\#(expected),"traced":\#(traced),"in_flight":\#(inFlight),"failed":\#(failed),"missing":["#
                .utf8)
        for (index, id) in missing.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONText.append(id, to: &out)
        }
        out.append(UInt8(ascii: "]"))
        if let reason {
            out.append(contentsOf: #","reason":"#.utf8)
            JSONText.append(reason, to: &out)
        }
        return out
    }
}
