import SeededRandom
import SockDiag
import Testing

@testable import SocketOwners

@Suite struct OwnerTableTests {
    private let owner = SocketOwner(pid: 1, name: ProcessName("init"), descriptor: 3)

    @Test func `Keys that others were pushed behind are found after those are removed`() {
        var random = SplitMix64(0x5eed)
        var table = OwnerTable()
        var model: [UInt64: Int] = [:]
        for step in 0..<20_000 {
            // Few keys, so that most steps meet one that is there; large ones too.
            let key = (random.next() % 500 + 1) << (random.next() % 2 * 32)
            switch random.next() % 4 {
            case 0:
                table.insert(key)
                model[key] = model[key] ?? 0
            case 1, 2:
                table.append(SocketOwner(pid: Int32(step), name: owner.name, descriptor: 0), to: key)
                if let count = model[key] { model[key] = count + 1 }
            default:
                table.remove(key)
                model[key] = nil
            }
        }
        #expect(table.count == model.count)
        for shift in [0, 32] as [UInt64] {
            for key in (1...500).map({ UInt64($0) << shift }) {
                #expect(table.contains(key) == (model[key] != nil))
                #expect(table.owners(of: key).count == model[key] ?? 0)
                #expect(table.hasOwner(key) == (model[key] ?? 0 > 0))
            }
        }
    }

    @Test func `A removed key's owners do not come back with it`() {
        var table = OwnerTable()
        table.insert(7)
        table.append(owner, to: 7)
        table.remove(7)
        table.insert(7)
        #expect(table.contains(7) && !table.hasOwner(7) && table.owners(of: 7).isEmpty)
    }

    @Test func `Owners of a key that is not there are not kept`() {
        var table = OwnerTable()
        table.append(owner, to: 7)
        table.insert(7)
        #expect(table.owners(of: 7).isEmpty)
    }

    @Test func `The number 0, which means no inode and no cookie, has no owners`() {
        var table = OwnerTable()
        table.insert(0)
        table.append(owner, to: 0)
        table.remove(0)
        #expect(table.count == 0 && !table.contains(0) && !table.hasOwner(0) && table.owners(of: 0).isEmpty)
    }

    @Test func `Owners are in the order of processes and descriptors, however they were found`() {
        var table = OwnerTable()
        table.insert(1)
        for (pid, descriptor) in [(9, 4), (2, 7), (9, 3), (2, 5)] as [(Int32, Int32)] {
            table.append(SocketOwner(pid: pid, name: owner.name, descriptor: descriptor), to: 1)
        }
        #expect(table.owners(of: 1).map { [$0.pid, $0.descriptor] } == [[2, 5], [2, 7], [9, 3], [9, 4]])
    }
}
