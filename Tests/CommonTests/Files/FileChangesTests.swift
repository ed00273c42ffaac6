import Common
import Testing

/// When files are read again.
@Suite struct FileChangesTests {
    @Test func `a changed file is read once it has rested`() throws {
        try TemporaryFolder.with { folder in
            let path = folder.path + "/rules.yaml"
            var changes = FileChanges(read: [nil])
            func look(isAsked: Bool = false) -> Bool { changes.look([FileStamp(of: path)], isAsked: isAsked) }
            #expect(!look())

            for text in ["a", "ab"] {
                try folder.write(text, to: "rules.yaml")
                #expect(!look(), "\(text) may be written halfway")
            }
            #expect(look())
            #expect(!look())

            try folder.write("abc", to: "rules.yaml")
            #expect(look(isAsked: true))
            #expect(!look())
        }
    }
}
