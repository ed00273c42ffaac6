import Testing

@testable import Common
@testable import Upstream

@Suite struct AddressGuardTests {
    @Test(arguments: [
        ("8.8.8.8", AddressGuard.Kind.global), ("1.1.1.1", .global), ("172.15.255.255", .global),
        ("172.32.0.0", .global),
        ("100.63.255.255", .global),
        ("100.128.0.0", .global), ("223.255.255.255", .global), ("2606:4700::1111", .global),
        ("64:ff9b::808:808", .global),
        ("::ffff:8.8.8.8", .global),
        ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("::1", .loopback), ("::ffff:127.0.0.1", .loopback),
        ("64:ff9b::7f00:1", .loopback), ("2002:7f00:1::1", .loopback),
        ("10.0.0.1", .privateNetwork), ("172.16.0.1", .privateNetwork), ("172.31.255.255", .privateNetwork),
        ("192.168.1.1", .privateNetwork),
        ("100.64.0.1", .privateNetwork), ("100.127.255.255", .privateNetwork), ("fc00::1", .privateNetwork),
        ("fd12:3456::1", .privateNetwork),
        ("::ffff:10.0.0.1", .privateNetwork), ("2002:a00:1::", .privateNetwork),
        ("169.254.0.1", .linkLocal), ("169.254.255.255", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
        ("fe80::1%eth0", .linkLocal),
        ("169.254.169.254", .metadata), ("169.254.170.2", .metadata), ("100.100.100.200", .metadata),
        ("168.63.129.16", .metadata),
        ("fd00:ec2::254", .metadata), ("fd20:ce::254", .metadata), ("::ffff:169.254.169.254", .metadata),
        ("64:ff9b::a9fe:a9fe", .metadata),
        ("2002:a9fe:a9fe::", .metadata),
        ("0.0.0.0", .reserved), ("0.1.2.3", .reserved), ("255.255.255.255", .reserved), ("224.0.0.1", .reserved),
        ("240.0.0.1", .reserved),
        ("192.0.2.1", .reserved), ("198.18.0.1", .reserved), ("::", .reserved), ("::127.0.0.1", .reserved),
        ("ff02::1", .reserved),
        ("fec0::1", .reserved), ("2001:db8::1", .reserved), ("3fff::1", .reserved), ("100::1", .reserved),
        ("64:ff9b:1::7f00:1", .reserved),
    ])
    func `every range has its kind`(text: String, kind: AddressGuard.Kind) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressGuard.kinds(of: address) == [kind])
        #expect(AddressGuard.allows(address, under: .operatorChosen))
        #expect(
            AddressGuard.allows(address, under: .clientChosen(allowLoopback: false, allowPrivate: false))
                == (kind == .global))
        #expect(
            AddressGuard.allows(address, under: .clientChosen(allowLoopback: true, allowPrivate: false))
                == [.global, .loopback].contains(kind))
        #expect(
            AddressGuard.allows(address, under: .clientChosen(allowLoopback: false, allowPrivate: true))
                == [.global, .privateNetwork].contains(kind))
    }

    @Test func `Teredo is judged by its server and by its hidden client`() throws {
        // Server 65.54.227.120, client 169.254.169.254 with all bits inverted.
        let address = try #require(IPAddress("2001:0:4136:e378:8000:63bf:5601:5601"))
        #expect(AddressGuard.kinds(of: address) == [.global, .metadata])
        #expect(!AddressGuard.allows(address, under: .clientChosen(allowLoopback: true, allowPrivate: true)))
    }

    @Test func `an address of another family is for the operator alone`() {
        #expect(AddressGuard.allows(nil, under: .operatorChosen))
        #expect(!AddressGuard.allows(nil, under: .clientChosen(allowLoopback: true, allowPrivate: true)))
    }

    @Test(arguments: [
        ("127.0.0.1", 0x7F00_0001 as UInt32), ("2130706433", 0x7F00_0001), ("0x7f000001", 0x7F00_0001),
        ("017700000001", 0x7F00_0001),
        ("127.1", 0x7F00_0001), ("0x7f.1", 0x7F00_0001), ("0177.0.0.1", 0x7F00_0001), ("127.0.1", 0x7F00_0001),
        ("0", 0), ("0x", 0),
        ("0xA9FEA9FE", 0xA9FE_A9FE), ("169.254.43518", 0xA9FE_A9FE), ("4294967295", 0xFFFF_FFFF),
    ])
    func `loose forms of IPv4 are read as inet_aton reads them`(text: String, value: UInt32) throws {
        #expect(try IPAddress.looseIPv4(text[...]) == .v4(value))
    }

    @Test(arguments: [
        "256.1.1.1", "1.2.3.256", "4294967296", "0x100000000", "08", "1.16777216", "99999999999999999999999",
    ])
    func `numbers out of range are refused`(text: String) {
        #expect(throws: IPAddress.OutOfRange.self) { try IPAddress.looseIPv4(text[...]) }
    }

    @Test(arguments: ["", "a.b", "1.2.3.4.5", "1..2", "1.2.3.", "0xg", "١٢٧.1", "-1", "+1"])
    func `names are no numbers`(text: String) throws {
        #expect(try IPAddress.looseIPv4(text[...]) == nil)
    }
}
