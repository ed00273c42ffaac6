internal import Ingress

/// The additions of an operator's custom build, for the command that runs. The argument parser makes the command, and
/// can pass it nothing.
enum BuildExtensions {
    @TaskLocal static var current = Extensions()
}
