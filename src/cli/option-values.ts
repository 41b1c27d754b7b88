import { InvalidArgumentError } from "commander";

/** Parsers of option and argument values: they reject what the server could only misread. */

export function counter(text: string): number {
  return integer(text, 0, Number.MAX_SAFE_INTEGER);
}

export function count(text: string): number {
  return integer(text, 1, 1_000_000);
}

export function pageLimit(text: string): number {
  return integer(text, 1, 1000);
}

export function version(text: string): number {
  return integer(text, 1, Number.MAX_SAFE_INTEGER);
}

export function milliseconds(text: string): number {
  return integer(text, 1, 2 ** 31 - 1);
}

export function nodeId(text: string): number {
  return integer(text, 1, 65_535);
}

export function safetyDistance(text: string): number {
  return integer(text, 0, 1_000_000_000);
}

/** Number() would take "", "1e3" and "0x10", too. */
function integer(text: string, least: number, most: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`It must be an integer from ${least} to ${most}.`);
}
