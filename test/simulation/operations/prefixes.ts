import type { DefinitionChange } from "../../../src/sequence/definition.js";
import type { Random } from "../engine/random.js";

/** The sequences of a run: what happens to each of them decides how it is judged. */

export const HOT = "HOT";
const COLD_COUNT = 8;
export const COLD = Array.from({ length: COLD_COUNT }, (_, place) => `COLD-${place + 1}`);
/** Series that are only ever reset by force, and so begin epochs. */
export const FORCED = "FORCED";
/** Series that jump forward once each. */
export const JUMPING = ["JUMP-1", "JUMP-2"] as const;
/** Sequences whose definitions change in what has no effect on which number comes next. */
export const CHANGING = ["CHANGE-1", "CHANGE-2"] as const;
/** Sequences whose step changes. */
export const STEPPED = ["STEP-1", "STEP-2"] as const;
/** Sequences whose template and reset rule change: their full numbers must never repeat. */
export const FORMS = ["FORM-1", "FORM-2"] as const;
/** Sequences that come to their maximum, and now and then get another. */
export const BOUNDED = ["FULL-1", "FULL-2"] as const;
/** Sequences that begin anew with every year, or month. */
export const PERIODIC = ["YEARLY", "MONTHLY"] as const;

const FIRST_MAXIMUM = 9;
const PERIODS: Readonly<Record<string, DefinitionChange>> = {
  YEARLY: { template: "{PREFIX}{YYYY}-{SEQ:5}", resetRule: "yearly" },
  MONTHLY: { template: "{PREFIX}{YYYY}{MM}-{SEQ:4}", resetRule: "monthly" },
};

/** What the sequence must be told before anybody draws from it; undefined if nothing. */
export function setupOf(prefix: string): DefinitionChange | undefined {
  if (isStepped(prefix)) return { step: 1 };
  if (isBounded(prefix)) return { maximum: FIRST_MAXIMUM };
  return PERIODS[prefix];
}

export function isStepped(prefix: string): boolean {
  return (STEPPED as readonly string[]).includes(prefix);
}

export function isForm(prefix: string): boolean {
  return (FORMS as readonly string[]).includes(prefix);
}

export function isBounded(prefix: string): boolean {
  return (BOUNDED as readonly string[]).includes(prefix);
}

export function isPeriodic(prefix: string): boolean {
  return prefix in PERIODS;
}

/** The period that a document of that date belongs to. */
export function periodOfDocument(prefix: string, documentDate: string): string {
  if (prefix === "YEARLY") return documentDate.slice(0, 4);
  return prefix === "MONTHLY" ? documentDate.slice(0, 7) : "";
}

/** For draws. */
export function anyPrefix(random: Random): string {
  if (random.chance(0.5)) return HOT;
  const place = random.unit();
  if (place < 0.27) return random.pick(COLD);
  if (place < 0.33) return random.pick(BOUNDED);
  if (place < 0.45) return FORCED;
  if (place < 0.55) return random.pick(JUMPING);
  if (place < 0.65) return random.pick(CHANGING);
  if (place < 0.77) return random.pick(STEPPED);
  if (place < 0.91) return random.pick(PERIODIC);
  return random.pick(FORMS);
}

/** For status reads: what they show must be known. */
export function readablePrefix(random: Random): string {
  const prefix = anyPrefix(random);
  return isForm(prefix) ? HOT : prefix;
}
