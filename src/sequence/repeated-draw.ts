import { invariant } from "../assert.js";
import type { CommandContext } from "./apply-context.js";
import type { Draw } from "./command.js";
import { type DrawMemo, documentFingerprint, keyFingerprint, keyScopeOf, messageIdOf } from "./draw-memo.js";
import { dateOf } from "./draw-place.js";
import { countKey, forgetExpired, type KeyUsage } from "./key-usage.js";
import { periodOf } from "./period.js";
import { refused } from "./refusal.js";
import type { Drawn, Refused } from "./result.js";
import { DEFAULT_SETTINGS } from "./settings.js";
import type { SequenceState } from "./state.js";

/**
 * The answer of a draw that was made before under the same key or for the same document, to the
 * byte; a refusal if that was another request; undefined if there was none.
 */
export function repeatedDraw(state: SequenceState, draw: Draw, context: CommandContext): Drawn | Refused | undefined {
  const keyed = draw.idempotencyKey === "" ? undefined : liveKeyedDraw(state, draw, context.time);
  if (keyed !== undefined) {
    if (keyed.fingerprint === keyFingerprint(draw)) return replay(state, draw, keyed);
    const detail = "this idempotency key was used with another request before";
    return refused("IDEMPOTENCY_MISMATCH", "idempotencyKey", detail);
  }
  const document = draw.documentRef === "" ? undefined : state.documentDraw(draw.prefix, draw.documentRef);
  if (document === undefined) return undefined;
  if (document.fingerprint !== documentFingerprint(draw)) {
    const detail = `this document has its numbers from ${draw.prefix} already, and they were drawn with another request`;
    return refused("IDEMPOTENCY_MISMATCH", "documentRef", detail);
  }
  rememberKey(state, draw, { ...document, fingerprint: keyFingerprint(draw) }, context.time);
  return replay(state, draw, document);
}

/** Notes a draw under its key and for its document. */
export function rememberDraw(state: SequenceState, draw: Draw, drawn: Drawn, context: CommandContext): void {
  const memo: DrawMemo = {
    fingerprint: keyFingerprint(draw),
    expiresAt: undefined,
    place: { index: context.index, ordinal: context.ordinal, time: context.time },
    definitionVersion: drawn.definition.version,
    epoch: drawn.epoch,
    ranges: drawn.ranges,
  };
  rememberKey(state, draw, memo, context.time);
  if (draw.documentRef === "") return;
  state.putDocumentDraw(draw.prefix, draw.documentRef, { ...memo, fingerprint: documentFingerprint(draw) });
}

/** Where keys are full already, a repeated document still answers, and its key is not remembered: nothing was drawn. */
function rememberKey(state: SequenceState, draw: Draw, memo: DrawMemo, time: number): void {
  if (draw.idempotencyKey === "") return;
  const settings = state.settings() ?? DEFAULT_SETTINGS;
  const usage = liveKeyUsage(state, time);
  if (usage.total >= settings.idempotencyKeysMax) return;
  const expiresAt = time + settings.idempotencyRetentionMs;
  countKey(usage, expiresAt);
  state.putKeyUsage(usage);
  state.putKeyedDraw(keyScopeOf(draw), { ...memo, expiresAt });
}

/** The count of keys, at this time. */
export function liveKeyUsage(state: SequenceState, time: number): KeyUsage {
  const usage = state.keyUsage();
  if (forgetExpired(usage, time)) state.putKeyUsage(usage);
  return usage;
}

/** A key whose time has passed is absent, whether or not its row is still there. */
function liveKeyedDraw(state: SequenceState, draw: Draw, time: number): DrawMemo | undefined {
  const memo = state.keyedDraw(keyScopeOf(draw));
  return memo?.expiresAt === undefined || memo.expiresAt <= time ? undefined : memo;
}

function replay(state: SequenceState, draw: Draw, memo: DrawMemo): Drawn {
  const definition = state.definitionVersion(draw.prefix, memo.definitionVersion);
  const date = dateOf(definition, draw.documentDate, memo.place.time);
  invariant(date !== undefined, "a draw that succeeded had a date");
  return {
    kind: "drawn",
    prefix: draw.prefix,
    definition,
    period: periodOf(date, definition),
    epoch: memo.epoch,
    date,
    scope: draw.scope,
    ranges: memo.ranges,
    count: draw.count,
    time: memo.place.time,
    messageId: messageIdOf(memo.place),
    replayed: true,
    created: false,
  };
}
