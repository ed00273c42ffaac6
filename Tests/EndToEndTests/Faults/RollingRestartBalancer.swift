import Subprocess
import TestSupport
import Testing

/// nginx in front of the ingresses: it keeps connections to them open, and gives a request to another one only where
/// the first cannot have begun it.
struct RollingRestartBalancer {
    let port: Int

    /// Runs nginx while `body` does.
    /// - Parameter ingresses: addresses such as `127.0.0.21:8000`.
    static func run(
        _ ingresses: [String], in folder: ProgramFolder, _ body: (RollingRestartBalancer) async throws -> Void
    ) async throws {
        let reserved = try ReservedPort()
        defer { reserved.release() }
        let port = reserved.number
        try folder.write(configuration(ingresses, port), to: "nginx.conf")
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let arguments = ["-p", folder.path, "-e", "stderr", "-c", folder.path + "/nginx.conf"]
        _ = try await Subprocess.run(
            .name("nginx"), arguments: Arguments(arguments), platformOptions: options, input: .none, output: .discarded,
            error: .discarded
        ) { nginx in
            defer { try? nginx.send(signal: .terminate) }
            try await eventually { (try? await withRawClient(to: port) { _ in }) != nil }
            try await body(RollingRestartBalancer(port: port))
        }
    }

    /// One process, so that nothing is left of it when it is killed. `proxy_next_upstream` as nginx has it by itself: a
    /// POST that was sent is not sent again.
    private static func configuration(_ ingresses: [String], _ port: Int) -> String {
        let servers = ingresses.map { "server \($0) max_fails=0;" }.joined(separator: " ")
        return """
            daemon off; master_process off; pid nginx.pid; error_log stderr;
            events { worker_connections 1000; }
            http {
                access_log off; client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
                keepalive_requests 1000000; keepalive_timeout 600; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_buffering off;
                proxy_next_upstream error timeout;
                upstream ingresses { \(servers) keepalive 32; }
                server {
                    listen 127.0.0.1:\(port);
                    location / { proxy_pass http://ingresses; }
                }
            }
            """
    }
}
