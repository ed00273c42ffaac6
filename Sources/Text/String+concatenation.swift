internal import Glibc

extension String {
    /// The texts behind each other, in one allocation. `+` and interpolation grow the text piece by piece, which a call
    /// that makes a dozen keys and names pays for.
    package init(
        concatenating first: String, _ second: String, _ third: String = "", _ fourth: String = "", _ fifth: String = ""
    ) {
        let count =
            first.utf8.count + second.utf8.count + third.utf8.count + fourth.utf8.count + fifth.utf8.count
        self.init(unsafeUninitializedCapacity: count) { out in
            var place = 0
            first.copy(to: out, at: &place)
            second.copy(to: out, at: &place)
            third.copy(to: out, at: &place)
            fourth.copy(to: out, at: &place)
            fifth.copy(to: out, at: &place)
            return place
        }
    }

    private func copy(to out: UnsafeMutableBufferPointer<UInt8>, at place: inout Int) {
        var text = self
        text.withUTF8 { bytes in
            guard let source = bytes.baseAddress, let target = out.baseAddress else { return }
            memcpy(target + place, source, bytes.count)
            place += bytes.count
        }
    }
}
