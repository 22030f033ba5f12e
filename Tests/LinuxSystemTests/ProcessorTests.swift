internal import LinuxSystem
internal import Testing

@Suite struct ProcessorTests {
    @Test(arguments: [
        ("0.20 0.18 0.12 1/80 11206\n", 1), ("11.98 9.94 7.18 15/298 5204", 15), ("", nil), ("0.20 0.18 0.12", nil),
        ("0.20 0.18 0.12 x/80 1", nil),
    ])
    func `The threads that run are read from the load`(text: String, count: Int?) {
        #expect(Processors.running(in: text) == count)
    }

    @Test(arguments: [
        ("some avg10=97.45 avg60=97.61 avg300=85.75 total=1\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=0\n", 97.45),
        ("some avg10=0.00 avg60=0.00 avg300=0.00 total=0", 0), ("full avg10=1.00", nil), ("some avg10=1", nil),
        ("", nil),
    ])
    func `How long threads wait is read from the pressure`(text: String, share: Double?) {
        #expect(Processors.waiting(in: text) == share)
    }
}
