/// Edits of a form's fields that leave every other byte as it is.
package struct FormSplice: Sendable {
    package let form: FormBody
    private var edits: [(range: Range<Int>, bytes: [UInt8], isRemoval: Bool)] = []
    /// Whole fields that the form did not have.
    private var additions: [[UInt8]] = []

    package init(_ form: FormBody) { self.form = form }

    /// Gives the fields of that name the value, or adds one behind the others.
    /// - Throws: 400 if the value would end the field it stands in.
    package mutating func set(_ name: String, to value: String) throws(GatewayError) {
        let fields = form.fields(name)
        let written = try written(value)
        for field in fields {
            let isBare =
                form.kind == .urlencoded
                && (field.value.isEmpty && !(form.bytes[..<field.value.lowerBound].last == UInt8(ascii: "=")))
            edits.append((field.value, (isBare ? [UInt8(ascii: "=")] : []) + written, false))
        }
        if fields.isEmpty { add(name, written) }
    }

    /// Takes the fields of that name out.
    package mutating func remove(_ name: String) {
        for field in form.fields(name) { edits.append((field.whole, [], true)) }
    }

    /// The form with all edits.
    package func result() -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(form.bytes.count + (edits.map(\.bytes) + additions).reduce(0) { $0 + $1.count })
        var index = form.bytes.startIndex
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            out += form.bytes[index..<edit.range.lowerBound]
            out += edit.bytes
            index = edit.range.upperBound
            if edit.isRemoval, form.kind == .urlencoded { dropSeparator(&out, &index) }
        }
        switch form.kind {
        case .urlencoded:
            out += form.bytes[index...]
            for addition in additions {
                out += (out.isEmpty || out.last == Self.separator ? [] : [Self.separator]) + addition
            }
        case .multipart(_, let end):
            out += form.bytes[index..<end]
            out += additions.joined()
            out += form.bytes[end...]
        }
        return out
    }

    private static let separator = UInt8(ascii: "&")

    /// Drops the sign that is too many where a field was taken out: the one behind it, else the one before.
    private func dropSeparator(_ out: inout [UInt8], _ index: inout Int) {
        if index < form.bytes.endIndex, form.bytes[index] == Self.separator {
            index += 1
        } else if out.last == Self.separator {
            out.removeLast()
        }
    }

    private mutating func add(_ name: String, _ value: [UInt8]) {
        switch form.kind {
        case .urlencoded: additions.append(Array("\(name)=".utf8) + value)
        case .multipart(let delimiter, _):
            let head = Array("\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8)
            additions.append(delimiter + head + value + Array("\r\n".utf8))
        }
    }

    private func written(_ value: String) throws(GatewayError) -> [UInt8] {
        switch form.kind {
        case .urlencoded: return Array(PercentEncoding.segment(value).utf8)
        case .multipart(let delimiter, _):
            guard value.isPrintable, !value.utf8.starts(with: delimiter) else {
                throw .invalidForm("a field's value would be taken for the end of its part; choose another boundary")
            }
            return Array(value.utf8)
        }
    }
}
