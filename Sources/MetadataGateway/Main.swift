internal import GatewayCommand
internal import Ingress

/// The gateway as it ships. A build of your own adds extensions here: see Examples/CustomGateway.
@main
struct Main {
    static func main() async {
        await GatewayCommand.main(extensions: .init())
    }
}
