import type { IncomingHttpHeaders } from "node:http";
import { Type } from "typebox";
import { invalidField } from "../problem.js";

/** Conditional requests (RFC 9110 §13) on definitions, whose ETag is their version. */

export const conditionHeaders = Type.Object({
  "if-match": Type.Optional(Type.String({ description: "The ETag of the version that the change is meant for" })),
  "if-none-match": Type.Optional(Type.String({ description: "*: only if there is no definition yet" })),
});

export function versionTag(version: number): string {
  return `"${version}"`;
}

export interface Condition {
  /** 0: there is no definition yet; undefined: whatever is in force. */
  readonly expectedVersion: number | undefined;
  /** The header that says so. */
  readonly header: string;
}

/**
 * What a change is meant for: one strong ETag as GET answers it, whose quotes may be missing, or nothing at all.
 * @throws Problem VALIDATION_ERROR
 */
export function conditionOf(headers: IncomingHttpHeaders): Condition {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
  if (ifNoneMatch === undefined) return { expectedVersion: versionOf(ifMatch), header: "If-Match" };
  if (ifNoneMatch !== "*") throw invalidField("If-None-Match", "*: a definition is made only where there is none");
  if (ifMatch !== undefined) throw invalidField("If-None-Match", "absent where If-Match is given");
  return { expectedVersion: 0, header: "If-None-Match" };
}

function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) return undefined;
  const version = /^(?:"([0-9]{1,15})"|([0-9]{1,15}))$/.exec(ifMatch);
  if (version === null) throw invalidField("If-Match", 'one ETag as GET /config/:prefix answers it, such as "3"');
  return Number(version[1] ?? version[2]);
}

/** Whether a reader holds this version already. ETags are compared weakly, as If-None-Match wants it. */
export function isUnchanged(version: number, headers: IncomingHttpHeaders): boolean {
  const held = headers["if-none-match"]?.split(",") ?? [];
  return held.some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === versionTag(version));
}
