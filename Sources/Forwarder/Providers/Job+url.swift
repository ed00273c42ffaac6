internal import Common

extension Job {
    /// The URL of the job's path, with its query, under a base that does not end with a slash.
    /// - Parameter path: Stands in for the job's own, where a provider has another.
    func url(under base: String, path: String? = nil) -> String {
        query.map { "\(base)\(path ?? self.path)?\($0)" } ?? base + (path ?? self.path)
    }
}
