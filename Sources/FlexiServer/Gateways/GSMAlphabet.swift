/// The characters that a short message holds in seven bits each (3GPP TS 23.038, 6.2.1 and its extension); any other makes every character
/// of the message take sixteen.
enum GSMAlphabet {
    private static let characters = Set(
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
            .unicodeScalars
    ).union("^{}\\[~]|€\u{0C}".unicodeScalars)

    static func contains(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy(self.characters.contains)
    }
}
