import fc from "fast-check";
import t from "tap";
import { checkDigits } from "../../src/sequence/check-digits.js";
import { holds } from "./holds.js";

t.test("check digits are those of the published examples", (t) => {
  t.equal(checkDigits("luhn", "7992739871"), "3");
  t.equal(checkDigits("luhn", "1789372997"), "4");
  t.equal(checkDigits("damm", "572"), "4");
  t.equal(checkDigits("mod97", "794"), "44");
  // An IBAN: the country and two zeros move behind the account.
  t.equal(checkDigits("mod97", "WEST12345698765432GB"), "82");
  t.end();
});

t.test("characters that an algorithm does not know are passed over", (t) => {
  t.equal(checkDigits("luhn", "INV-7992/739871"), checkDigits("luhn", "7992739871"));
  t.equal(checkDigits("damm", "ö5-7 2"), "4");
  t.equal(checkDigits("mod97", "gb-1"), checkDigits("mod97", "GB1"));
  t.equal(checkDigits("luhn", ""), "0");
  t.equal(checkDigits("mod97", ""), "98");
  t.end();
});

t.test("one wrong digit never goes unnoticed", (t) => {
  const digits = fc.stringMatching(/^\d{1,16}$/);
  holds(
    t,
    fc.property(
      fc.constantFrom("luhn", "damm", "mod97"),
      digits,
      fc.nat(15),
      fc.integer({ min: 1, max: 9 }),
      (algorithm, text, at, shift) => {
        const place = at % text.length;
        const digit = (Number(text[place]) + shift) % 10;
        const wrong = text.slice(0, place) + digit + text.slice(place + 1);
        return checkDigits(algorithm, text) !== checkDigits(algorithm, wrong);
      },
    ),
  );
  t.end();
});

t.test("two neighbours swapped never go unnoticed with Damm and MOD 97-10", (t) => {
  holds(
    t,
    fc.property(
      fc.constantFrom("damm", "mod97"),
      fc.stringMatching(/^\d{2,16}$/),
      fc.nat(14),
      (algorithm, text, at) => {
        const place = at % (text.length - 1);
        const [a = "", b = ""] = [text[place], text[place + 1]];
        const swapped = text.slice(0, place) + b + a + text.slice(place + 2);
        return a === b || checkDigits(algorithm, text) !== checkDigits(algorithm, swapped);
      },
    ),
  );
  t.end();
});
