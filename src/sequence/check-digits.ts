/**
 * Check digits over what stands before the token. Luhn (ISO/IEC 7812-1 annex B) and Damm look at
 * the decimal digits only; ISO 7064 MOD 97-10 at digits and the letters A to Z (A = 10 … Z = 35,
 * small letters like large ones). Every other character is passed over.
 */
export type CheckAlgorithm = "luhn" | "damm" | "mod97";

/** The quasigroup of order 10 of H. M. Damm's thesis (2004), row by interim digit. */
const DAMM = [
  "0317598642",
  "7092154863",
  "4206871359",
  "1750983426",
  "6123045978",
  "3674209581",
  "5869720134",
  "8945362017",
  "9438617205",
  "2581436790",
] as const;
const ZERO = 48;
const NINE = 57;
const LETTER_A = 65;
const LETTER_Z = 90;
const SMALL_A = 97;
const SMALL_Z = 122;

export function checkWidth(algorithm: CheckAlgorithm): number {
  return algorithm === "mod97" ? 2 : 1;
}

export function checkDigits(algorithm: CheckAlgorithm, text: string): string {
  switch (algorithm) {
    case "luhn":
      return luhn(text);
    case "damm":
      return damm(text);
    case "mod97":
      return mod97(text);
  }
}

function luhn(text: string): string {
  let sum = 0;
  let doubled = true;
  for (let i = text.length - 1; i >= 0; i--) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) continue;
    if (!doubled) sum += digit;
    else sum += digit > 4 ? 2 * digit - 9 : 2 * digit;
    doubled = !doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

function damm(text: string): string {
  let interim = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) continue;
    interim = Number(DAMM[interim]?.[digit]);
  }
  return String(interim);
}

function mod97(text: string): string {
  let remainder = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= ZERO && unit <= NINE) remainder = (remainder * 10 + unit - ZERO) % 97;
    else if (unit >= LETTER_A && unit <= LETTER_Z) remainder = (remainder * 100 + unit - LETTER_A + 10) % 97;
    else if (unit >= SMALL_A && unit <= SMALL_Z) remainder = (remainder * 100 + unit - SMALL_A + 10) % 97;
  }
  return String(98 - ((remainder * 100) % 97)).padStart(2, "0");
}
