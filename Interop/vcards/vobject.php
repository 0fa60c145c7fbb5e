<?php
// Reads vCards from standard input by sabre/vobject, strictly. Prints, in hexadecimal, a line for each card: address, space, name; and to
// standard error what is wrong with a card.
error_reporting(E_ALL & ~E_DEPRECATED);
require 'Sabre/VObject/autoload.php';

$cards = new Sabre\VObject\Splitter\VCard(fopen('php://stdin', 'r'));
while ($card = $cards->getNext()) {
    foreach ($card->validate() as $problem) {
        fwrite(STDERR, $card->IMPP . ': ' . $problem['message'] . "\n");
    }
    echo bin2hex((string) $card->IMPP), ' ', bin2hex((string) $card->FN), "\n";
}
