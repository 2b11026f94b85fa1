import Foundation

/// A colour in CIELAB under D65: distances in it are about what eyes see.
public struct LabColor: Sendable, Hashable {
    /// Lightness, 0…100.
    public var l: Double
    /// Green to red, about -128…127.
    public var a: Double
    /// Blue to yellow, about -128…127.
    public var b: Double

    public init(l: Double, a: Double, b: Double) { (self.l, self.a, self.b) = (l, a, b) }

    /// - Parameters: sRGB samples.
    public init(red: UInt8, green: UInt8, blue: UInt8) {
        let (r, g, b) = (Self.linear[Int(red)], Self.linear[Int(green)], Self.linear[Int(blue)])
        // IEC 61966-2-1's matrix, divided by the white point.
        func f(_ t: Double) -> Double { t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116 }
        let x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
        let y = f(0.2126729 * r + 0.7151522 * g + 0.0721750 * b)
        let z = f((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883)
        self.init(l: 116 * y - 16, a: 500 * (x - y), b: 200 * (y - z))
    }

    /// The sRGB samples; what no screen shows is brought to its nearest bound.
    public var rgb: (red: UInt8, green: UInt8, blue: UInt8) {
        let fy = (l + 16) / 116
        func inverse(_ t: Double) -> Double { t * t * t > 216.0 / 24389 ? t * t * t : (116 * t - 16) * 27 / 24389 }
        let (x, y, z) = (0.95047 * inverse(fy + a / 500), inverse(fy), 1.08883 * inverse(fy - b / 200))
        func sample(_ value: Double) -> UInt8 {
            let encoded = value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
            return UInt8((min(max(encoded, 0), 1) * 255).rounded())
        }
        return (
            sample(3.2404542 * x - 1.5371385 * y - 0.4985314 * z), sample(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z),
            sample(0.0556434 * x - 0.2040259 * y + 1.0572252 * z)
        )
    }

    /// `#1f2a44`.
    public var hex: String {
        let (red, green, blue) = rgb
        return "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// ΔE of 1976.
    public func distance(to other: LabColor) -> Double {
        ((l - other.l) * (l - other.l) + (a - other.a) * (a - other.a) + (b - other.b) * (b - other.b)).squareRoot()
    }

    private static let linear: [Double] = (0...255).map { sample in
        let value = Double(sample) / 255
        return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
}
