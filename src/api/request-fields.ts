import { Type } from "typebox";

/**
 * The fields of requests that both edges share: what they may hold, and the sentence that says so
 * (`description`), which is documentation and error message at once.
 */

export const COUNT_MAX = 1_000_000;
/** A batch answers every single number up to this count, and ranges only above it. */
export const FULL_NUMBERS_MAX = 10_000;
export const PREVIEW_COUNT_MAX = 1000;
export const PAGE_LIMIT_MAX = 1000;
export const PAGE_LIMIT_DEFAULT = 100;
export const TEXT_LENGTH_MAX = 200;
export const KEY_LENGTH_MAX = 255;
export const REASON_LENGTH_MAX = 500;

/** No control characters, no line or paragraph separators, no half surrogate pairs. */
const PRINTABLE = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\ud800-\\udfff]*$";
export const SAFE_INTEGER = `an integer from 0 to ${Number.MAX_SAFE_INTEGER}`;

function printable(least: number, most: number) {
  const size = least === 0 ? `at most ${most}` : `${least} to ${most}`;
  return Type.String({
    ...(least === 0 ? {} : { minLength: least }),
    maxLength: most,
    pattern: PRINTABLE,
    description: `${size} printable characters`,
  });
}

function counter(least: number) {
  const expected = least === 0 ? SAFE_INTEGER : `an integer from ${least} to ${Number.MAX_SAFE_INTEGER}`;
  return Type.Integer({ minimum: least, maximum: Number.MAX_SAFE_INTEGER, description: expected });
}

function integer(least: number, most: number, what = "") {
  return Type.Integer({ minimum: least, maximum: most, description: `an integer from ${least} to ${most}${what}` });
}

function word(values: readonly string[]) {
  return Type.Unsafe<string>({ type: "string", enum: [...values], description: `one of ${values.join(", ")}` });
}

export const prefixField = Type.String({
  pattern: "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,49}$",
  description: "1 to 50 of A-Z a-z 0-9 . _ -, not starting with a dot",
  examples: ["SG"],
});

/** Who asks and on whose behalf, as the journal keeps it. */
export const textField = printable(0, TEXT_LENGTH_MAX);
/** A blank is no reason. */
export const reasonField = Type.String({
  minLength: 1,
  maxLength: REASON_LENGTH_MAX,
  pattern: PRINTABLE.replace("^", "^(?=.*\\S)"),
  description: `1 to ${REASON_LENGTH_MAX} printable characters, not only blanks`,
});
export const countField = integer(1, COUNT_MAX);
export const previewCountField = integer(1, PREVIEW_COUNT_MAX);
export const pageLimitField = integer(1, PAGE_LIMIT_MAX);
export const flagField = Type.Boolean({ description: "true or false" });
export const counterField = counter(0);
export const versionField = counter(1);

export const DAY_EXPECTED = "a date that exists, from 1000-01-01 to 9998-12-31, as YYYY-MM-DD";

/** The day must exist, too: commands.ts checks that. */
export const documentDateField = Type.String({
  pattern: "^([1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$",
  description: DAY_EXPECTED,
  examples: ["2026-11-20"],
});

/** As the answers of draws name it. */
export const periodField = Type.String({
  pattern: "^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$",
  description: "a period as YYYY, YYYY-MM or YYYY-MM-DD, or nothing for the current one",
});

export const idempotencyKeyField = Type.String({
  pattern: `^[\\x20-\\x7e]{1,${KEY_LENGTH_MAX}}$`,
  description: `1 to ${KEY_LENGTH_MAX} printable ASCII characters`,
});

/** X-Request-ID and x-request-id: visible ASCII. */
export const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
export const REQUEST_ID_EXPECTED = "1 to 128 visible ASCII characters";
export const requestIdField = Type.String({ pattern: REQUEST_ID.source, description: REQUEST_ID_EXPECTED });

export const consistencyField = Type.Unsafe<"linearizable" | "local">({
  ...word(["linearizable", "local"]),
});

/** What journalled events are called. */
export const auditKindField = Type.Unsafe<"drawn" | "reset" | "configured">({
  ...word(["drawn", "reset", "configured"]),
});

export const messageIdField = Type.String({
  pattern: "^[0-9]{1,16}-[0-9]{1,9}$",
  description: "a message id, as records carry it",
});

export const INSTANT_EXPECTED = "a time as RFC 3339 has it, such as 2026-11-20T08:00:00Z";
export const instantField = Type.String({
  pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
  description: INSTANT_EXPECTED,
});

export const NODE_ID_MAX = 65_535;
export const NODE_ID_EXPECTED = `the id of a node, from 1 to ${NODE_ID_MAX}`;
export const nodeIdField = Type.Integer({ minimum: 1, maximum: NODE_ID_MAX, description: NODE_ID_EXPECTED });
/** In a path; nodes.ts reads it. */
export const nodeIdText = Type.String({ pattern: "^[1-9][0-9]{0,4}$", description: NODE_ID_EXPECTED, examples: ["4"] });
export const PEER_ADDRESS_EXPECTED = "host:port of the node's peer listener, an IPv6 host in brackets";
/** How large the port is, is checked apart. */
export const peerAddressField = Type.String({
  maxLength: 262,
  pattern: "^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[1-9][0-9]{0,4}$",
  description: PEER_ADDRESS_EXPECTED,
  examples: ["10.0.0.4:7070"],
});

/** Settings of a definition; the domain judges how they fit together. */
export const settingFields = {
  template: printable(0, TEXT_LENGTH_MAX),
  padding: integer(0, 16),
  separator: printable(0, 10),
  start: counter(0),
  step: counter(1),
  maximum: counter(1),
  resetRule: word(["never", "daily", "monthly", "yearly"]),
  timeZone: Type.String({
    minLength: 1,
    maxLength: 64,
    pattern: "^[A-Za-z0-9_+/-]*$",
    description: "the name of a time zone, such as Europe/Berlin",
  }),
  fiscalYearStart: integer(1, 12, " (a month)"),
  scope: word(["global", "site", "partition", "document_type"]),
  // "reuse" comes with releases: until then it would promise what nothing does.
  gapPolicy: word(["keep"]),
  profile: printable(0, 50),
  isActive: flagField,
  description: printable(0, 1000),
} as const;
