extension String {
    /// Bytes as hexadecimal digits, two each, in lower case.
    package init(hexadecimal bytes: some Collection<UInt8>) {
        let digits: StaticString = "0123456789abcdef"
        self.init(unsafeUninitializedCapacity: 2 * bytes.count) { buffer in
            for (place, byte) in bytes.enumerated() {
                buffer[2 * place] = digits.utf8Start[Int(byte >> 4)]
                buffer[2 * place + 1] = digits.utf8Start[Int(byte & 15)]
            }
            return 2 * bytes.count
        }
    }
}
