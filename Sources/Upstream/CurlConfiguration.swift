/// The configuration of all calls of one `CurlUpstream`.
package struct CurlConfiguration: Sendable {
    /// Connections to one host at a time; 0 sets no bound. Calls beyond it wait, and their total time runs.
    package var maxHostConnections: Int
    /// Connections that are kept open for later calls.
    package var maxIdleConnections: Int
    /// Whether HTTP/2 is used where a TLS peer offers it.
    ///
    /// libcurl cannot make a single HTTP/2 stream wait without holding up the others on its connection, so such answers
    /// are bounded by `UpstreamLimits.bodyBytes` alone.
    package var usesHTTP2: Bool
    /// A PEM file of the certificate authorities to trust; nil means those of the system.
    package var caFile: String?
    /// A resolver's answers, asked for before each call: lines of CURLOPT_RESOLVE, such as `api.example:443:192.0.2.1`.
    /// Nil means the system's resolver, which a test cannot make change its mind.
    var resolver: (@Sendable () -> [String])?

    package init(
        maxHostConnections: Int = 0, maxIdleConnections: Int = 4096, usesHTTP2: Bool = true, caFile: String? = nil
    ) {
        self.maxHostConnections = maxHostConnections
        self.maxIdleConnections = maxIdleConnections
        self.usesHTTP2 = usesHTTP2
        self.caFile = caFile
    }

    /// - Parameter calls: the most calls at once; no more connections than that are kept.
    package init(connectionsFor calls: Int) {
        self.init()
        maxIdleConnections = min(maxIdleConnections, calls)
    }
}
