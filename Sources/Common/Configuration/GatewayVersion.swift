/// The version of this build, as `--version` and `/health` show it.
public enum GatewayVersion {
    public static let current = "0.2.0"
}
