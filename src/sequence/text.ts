const PREFIX = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,49}$/;

export function isPrefix(text: string): boolean {
  return PREFIX.test(text);
}

/**
 * Whether every character can stand in a document number: no control characters, no line or
 * paragraph separators, no half surrogate pairs. By code unit and not by Unicode property, because
 * property tables differ between versions of the platform and apply must not.
 */
export function isPrintable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x7f) continue;
    if (unit < 0xa0 || unit === 0x2028 || unit === 0x2029) return false;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return false;
    i++;
  }
  return true;
}

export function isDigit(text: string): boolean {
  return text.length === 1 && text >= "0" && text <= "9";
}
