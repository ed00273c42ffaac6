package import CoreMetrics

extension Timer {
    package func observe(_ time: Duration) {
        let (seconds, attoseconds) = time.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        recordNanoseconds(isTooLong ? .max : whole + attoseconds / 1_000_000_000)
    }
}
