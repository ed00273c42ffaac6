import FoundationEssentials

@testable import Common

/// What version 0.1.0 of the gateway wrote: bytes that this version has to read. Never made anew; a later version's go
/// beside them.
enum FirstVersion {
    /// The key that sealed the samples.
    static let key = GatewayKey(bytes: Array(1...32))

    /// `Job.full` before it was sealed.
    static let jobFull = bytes(
        """
        ASQwMTk4ZjNhMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDECCnByw6lmw6lyw6kDBHJ7Kn0DA2knIgMBZQME8J+ZggMJX19wcm90b19fBAVhbGljZQUE\
        UE9TVAYRL2NoYXQvY29tcGxldGlvbnMHCWE9YiZjPSUyMAgKQWNjZXB0ACovKggIWC1FbXB0eQAICngtbGF0aW4Aw6kJCXNrLWNhbmFyeQocaHR0cHM6Ly9l\
        eGFtcGxlLnRlc3Q6ODQ0My92MQsNb3BlbmFpL2dwdC00bwwADQgAAAGaq2iHTg4VZ2F0ZXdheS9yZXNwb25zZXMvYWJjEAgAAAAAAAEAABEWZ2F0ZXdheS9p\
        ZGVtcG90ZW5jeS9hYg+ZAnsibW9kZWwiOiJvcGVuYWkvZ3B0LTRvIn0AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8w\
        MTIzNDU2Nzg5Ojs8PT4/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9gYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImK\
        i4yNjo+QkZKTlJWWl5iZmpucnZ6foKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr/AwcLDxMXGx8jJysvMzc7P0NHS09TV1tfY2drb3N3e3+Dh4uPk\
        5ebn6Onq6+zt7u/w8fLz9PX29/j5+vv8/f7/
        """)
    /// `Job.least` before it was sealed.
    static let jobLeast = bytes(
        "ASQwMTk4ZjNhMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDICAXAFA0dFVAYBLw0IAAAAAAAAAAAOAWsQCAAAAAAAEAAADwA=")
    /// `Job.full`, sealed.
    static let sealedJobFull = bytes(
        """
        AcqI685LA8H4ENOiFZclNLgAAAAAAAAAAY/noSCMrFt8MshcNdhdf64nkHq5m1USuaBcuzLMYMbxTGNKbDwhwhjNtnt0JEUiqUNHDB6vAqULEBy43KpB1Njl\
        g21rXzJc4ZV3eIbBceIHuD3q1wzT5V5gOQkQyQm+rRzRL09uL+5a5fKFCOfj/+24YqUCyNmzqNhB6zX4Ll6jpIcfTKC0Qu2rIiweyhKrOWKRilqIm53euNS2\
        9a8N4wKCDocJiCpLsfU3y6Lh5gPEbgvGJVcfqshXkmBbBYH6CkebU2iot5/30yWNS9qMg14xLuF89V0qdp7zhvQOA4zQGyOCYac1nDBFV7EoPV0SzvJmZidn\
        5KSIVuJkJi+Pv/4jpdhzzsCeXTLZd5NS8UmcjInKpPPX8fXZ+0GgnA31JLOZdj7Pdv0B6SeYme+niJ9eZcrgJMkdqa/y+aK8nbFgPiXlPdlc2qOX+d7Uy7JP\
        iB0BPDbjXRu0F1r1H+UkX3/G653KjeHN7cIBQpSfRsrt7fM68KZiE+TyufkASELzND7PyVe3QOA0CIVbGBEEJp/EpC8IUB5cxntfmbGbPosdtp/PuEEuDv0E\
        cXEHAHtsRJa5XFfiriixyOPXbNOxRfwNddUGQsLvp2ecBcDk2T5muFyhq60hYuSwC04wunNHXMt1c8wcDtQQ4Mu/Rom6H7TCPTYpvNof6VV0vB+EvTRwfc93\
        C1pPm6uU7FE9qnKsLgZ+7XANffpxCEO0jp8EcvQPwykafAMFLlhBclNqeMW4HW0tklOp5nEo/HKC4a9+joq5M3cOchg=
        """)
    /// `Job.least` on the stream of questions, sealed.
    static let sealedQuestion = bytes(
        """
        AcqI685LA8H4ENOiFZclNLgAAAAAAAAAAg87zuqA2GgZkGsjLAuMlYQXUP3SVcAVsGZsy8iSYyAscifkNT9PK5VK30BDMbCb340hFO4/69/limu+RRXxF3aI\
        XNIOb0p0zIid+HDWXsLTdC+/W4AaRElklw==
        """)
    /// A span of the id 1, sealed.
    static let sealedSpan = bytes(
        """
        AcqI685LA8H4ENOiFZclNLgAAAAAAAAACKPaaFfUtUOnIhX2PBKYTm94kp7Zsoc+5pI5mD7SDXi5ccVX32eFSkOHn5dRT6nXIb77zDtmgjaLG4hBQWy6Z71e\
        5kXPkf5PC/3L/1Z9AEDqe7u/qMVw2S6czZYotMxmJXJjO8aq+SiB
        """)
    /// An entry of the log of the rollout `r`, sealed.
    static let sealedLog = bytes(
        """
        AcqI685LA8H4ENOiFZclNLgAAAAAAAAACZDiXQVap0IJDS12rqBBypeKGUmqFjJuP5jYEDKtiWFbyQtODRTc3Qk8wm+wdTNMToPSy2oTh0j2tjPGFBJrn6n0\
        tqIiV8s=
        """)
    /// `ResponseFrame.samples`, in their order, before they were sealed.
    static let frames = [
        bytes(
            "AQgAAAAAAAAAAA=="),
        bytes(
            "AQj//////////wIIAAAAAAAAAMgFAA=="),
        bytes(
            """
            AQgAAAAAAAAABwSAAgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktM\
            TU5PUFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp+goaKjpKWm\
            p6ipqqusra6vsLGys7S1tre4ubq7vL2+v8DBwsPExcbHyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8=
            """),
        bytes(
            "AQgAAAAAAAAAAQIIAAAAAAAAAa0DDVJldHJ5LUFmdGVyADIDAmEAAwRhAMOpBAEABQA="),
        bytes(
            "AQgAAAEAAAAAAAYMY2xvc2VkX2Vhcmx5Bg51cHN0cmVhbV9lcnJvcgYJZ29uZSAiw6ki"),
    ]
    /// `ResponseFrame.samples` of the id 1, sealed.
    static let sealedFrames = [
        bytes(
            "AcqI685LA8H4ENOiFZclNLgAAAAAAAAAA4hF3GWOLKwAWkEwyHC3JbNyCKRVPojxVCDS"),
        bytes(
            "AcqI685LA8H4ENOiFZclNLgAAAAAAAAABFVALLkiwgQdf/zVYt5XKXpJzQ+nKtpHl8OuNaV2NSF0MsDAVLHY"),
        bytes(
            """
            AcqI685LA8H4ENOiFZclNLgAAAAAAAAABXP6yjxNrbA0hThNHEL4tsuTYLfuAyZNkqR2yrp1wttHlCeJRhLo8tgDkYz2O0GrbB9aecgluAAukudzeNQPgV93\
            u8lEzBq/ZwNO2+xcRGjcUXV21q/sQCXUciQpn5VEH0Ru6HCr6IWn7DpBh3DJM9DU8A5qiHVl5EloDNHVLM6LSvtx79xFgj8sRpSTqxT9zNaMnBLzDRVJlFc8\
            fBiQ8/q0qfrNv6HkTnRk/qPVCdP4MvqHY468dJcMWXoY61kNsasZshPGmyC5TsDhCmUVte/G13+/9mLEX2t6N+mUltnWcitT8+JMTzsLZ1YUT1WlnIuQGdlG\
            U3IuKaj7PijmnF8pvYq43B0FvbWdw4GGPd0D5KPAjdn0+q7m6vhC1Q==
            """),
        bytes(
            """
            AcqI685LA8H4ENOiFZclNLgAAAAAAAAABuU6H41Rgpj6gKNektz7p4WE5uFv3J/Fe7Ju160agdsbIFsM8QXx6ULoYwO/B2fB6R3Q68QE5mAZkvxp4BoNy6UG\
            7Q==
            """),
        bytes(
            """
            AcqI685LA8H4ENOiFZclNLgAAAAAAAAAB3JG2hjrs3w8hhX3q7hf8FnM5+ZveLhd6p5UpxlMolU9pEl87JMytQlONHU2gEonzyNEPPVxByF4OGYeGfuc8JuS\
            44g=
            """),
    ]

    static let span = #"{"traceId":"0198f3a0000070008000000000000001","spanId":"8000000000000001","name":"chat"}"#
    static let log = #"{"rollout_id":"r","message":"m","status":{"code":100}}"#

    private static func bytes(_ base64: String) -> [UInt8] { Data(base64Encoded: base64).map(Array.init) ?? [] }
}
