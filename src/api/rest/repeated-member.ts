const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The first name that the object says twice. JSON.parse keeps the last of them without a word, and
 * another reader of the same text (a gateway, a log) may keep the first: which one was meant is not
 * for us to guess. Looks at the outermost object only, since no request holds another.
 * @param text well-formed JSON
 */
export function repeatedMember(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let opening = 0;
  let closing = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        opening = at;
        closing = closingQuote(text, at);
        at = closing;
        break;
      case COLON: {
        if (depth !== 1) break;
        const name = textOf(text.slice(opening, closing + 1));
        if (seen.has(name)) return name;
        seen.add(name);
        break;
      }
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
        break;
    }
  }
  return undefined;
}

/** Of the string that opens at the given place: the next quote that no backslash takes away. */
function closingQuote(text: string, opening: number): number {
  let at = text.indexOf('"', opening + 1);
  while (at > 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at < 0 ? text.length : at;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charAt(at - 1 - backslashes) === "\\") backslashes++;
  return backslashes % 2 === 1;
}

function textOf(quoted: string): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}
