import { parseCivilDate } from "./civil-date.js";
import type { Draw } from "./command.js";
import { invalid } from "./refusal.js";
import type { Refused } from "./result.js";
import { isPrefix } from "./text.js";

const COUNT_MAX = 1_000_000;

/** What is wrong with a draw whatever the state is. */
export function drawProblem(draw: Draw): Refused | undefined {
  if (!Number.isSafeInteger(draw.count) || draw.count < 1 || draw.count > COUNT_MAX) {
    return invalid("count", `count must be an integer from 1 to ${COUNT_MAX}`);
  }
  if (draw.documentDate !== "" && parseCivilDate(draw.documentDate) === undefined) {
    return invalid("documentDate", "the document date must be a day that exists, as YYYY-MM-DD");
  }
  return undefined;
}

export function prefixProblem(prefix: string): Refused | undefined {
  if (isPrefix(prefix)) return undefined;
  return invalid("prefix", "a prefix is 1 to 50 of A-Z a-z 0-9 . _ -, and does not start with a dot");
}
