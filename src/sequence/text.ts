const PREFIX = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,49}$/;

export function isPrefix(text: string): boolean {
  return PREFIX.test(text);
}

/**
 * Whether every character can stand in a document number: no control characters, nothing
 * invisible, no half surrogate pairs. By code unit and not by Unicode property, because
 * property tables differ between versions of the platform and apply must not.
 */
export function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x7f) continue;
    if (unit < 0xa0 || isInvisible(unit)) return false;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return false;
    i++;
  }
  return true;
}

/** Zero-width and direction marks, separators, joiners, byte order mark: two numbers that look alike would differ. */
function isInvisible(unit: number): boolean {
  return (
    unit === 0xad ||
    (unit >= 0x200b && unit <= 0x200f) ||
    (unit >= 0x2028 && unit <= 0x202e) ||
    (unit >= 0x2060 && unit <= 0x206f) ||
    unit === 0xfeff
  );
}

export function isDigit(text: string): boolean {
  return text.length === 1 && text >= "0" && text <= "9";
}
