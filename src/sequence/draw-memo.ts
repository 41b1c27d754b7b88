import type { CommandContext } from "./apply-context.js";
import type { Draw } from "./command.js";
import type { NumberRange } from "./result.js";

/** What a draw that may be repeated has to answer again: under an idempotency key, or for a document. */
export interface DrawMemo {
  /** The request's business fields. */
  readonly fingerprint: string;
  /** Entry time from which on the memo counts as absent, ms; undefined: never. */
  readonly expiresAt: number | undefined;
  /** Where the draw stands in the log, and the entry's time. */
  readonly place: CommandContext;
  readonly definitionVersion: number;
  readonly epoch: number;
  readonly ranges: readonly NumberRange[];
}

/** Whose key it is, and for what. */
export interface KeyScope {
  readonly principal: string;
  readonly operation: "draw" | "batch";
  readonly prefix: string;
  readonly key: string;
}

export function keyScopeOf(draw: Draw): KeyScope {
  return {
    principal: draw.provenance.principal,
    operation: draw.batch ? "batch" : "draw",
    prefix: draw.prefix,
    key: draw.idempotencyKey,
  };
}

/** The business fields under a key: all but who asked, on whose behalf, and under which key. Short for plain draws. */
export function keyFingerprint(draw: Draw): string {
  // A single number is contiguous either way.
  const size = draw.batch ? `${draw.count}${draw.contiguous ? " contiguous" : ""}` : "";
  return (
    size +
    textsOf([draw.scope.site, draw.scope.partition, draw.scope.documentType, draw.documentDate, draw.documentRef])
  );
}

/** For a document, how it was asked for does not matter, only what for and how many. */
export function documentFingerprint(draw: Draw): string {
  const size = draw.count === 1 ? "" : String(draw.count);
  return size + textsOf([draw.scope.site, draw.scope.partition, draw.scope.documentType, draw.documentDate]);
}

/** "" when all are empty; begins with a bracket otherwise, so that nothing runs together. */
function textsOf(texts: readonly string[]): string {
  return texts.every((text) => text === "") ? "" : JSON.stringify(texts);
}

export function messageIdOf(place: { readonly index: number; readonly ordinal: number }): string {
  return `${place.index}-${place.ordinal}`;
}
