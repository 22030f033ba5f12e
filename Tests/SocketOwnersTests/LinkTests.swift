import Testing

@testable import SocketOwners

@Suite struct LinkTests {
    @Test(
        arguments: [
            ("socket:[1]", 1), ("socket:[4026531833]", 4_026_531_833), ("socket:[4294967295]", 4_294_967_295),
        ] as [(String, UInt64)]
    )
    func `The link of a socket has its inode`(link: String, inode: UInt64) {
        #expect(DescriptorReader.socketInode(Array(link.utf8).span.bytes) == inode)
    }

    @Test(arguments: [
        "", "s", "socket:[", "socket:[]", "socket:[12", "socket:[12x]", "socket:[-1]", "socket:12]", "/socket:[12]",
        "pipe:[12]", "net:[4026531833]", "anon_inode:[eventpoll]", "/dev/null", "socket:[ 12]",
    ])
    func `Any other link is no socket, however similar it is`(link: String) {
        #expect(DescriptorReader.socketInode(Array(link.utf8).span.bytes) == nil)
    }
}
