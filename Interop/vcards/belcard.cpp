// Reads vCards from standard input by Linphone's parser. Prints, in hexadecimal, a line for each card: address, space, name as the parser
// leaves it, which is escaped. Nothing is printed and the status is 1 when the parser refuses the text.
#include <belcard/belcard.hpp>
#include <belcard/belcard_parser.hpp>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

static std::string hex(const std::string &text) {
    std::string digits;
    char pair[3];
    for (unsigned char byte : text) {
        std::snprintf(pair, sizeof pair, "%02x", byte);
        digits += pair;
    }
    return digits;
}

int main() {
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    const auto list = belcard::BelCardParser::getInstance()->parse(text);
    if (!list) return 1;
    for (const auto &card : list->getCards()) {
        if (!card->assertRFCCompliance() || card->getImpp().size() != 1) return 1;
        std::cout << hex(card->getImpp().front()->getValue()) << ' ' << hex(card->getFullName()->getValue())
                  << '\n';
    }
}
