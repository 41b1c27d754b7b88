import { randomBytes } from "node:crypto";
import type { Metadata } from "@grpc/grpc-js";
import { requestIdRule } from "./field-rules.js";

/** Names calls: by x-request-id where the client gave one, else by a name unique to this process. */
export class RequestIds {
  readonly #process = randomBytes(6).toString("hex");
  #count = 0;

  /**
   * @returns what the client gave; undefined if it gave nothing
   * @throws Problem VALIDATION_ERROR on x-request-id
   */
  given(metadata: Metadata): string | undefined {
    const value = metadata.get("x-request-id")[0];
    if (value === undefined) return undefined;
    requestIdRule(value, "x-request-id");
    return String(value);
  }

  made(): string {
    this.#count += 1;
    return `${this.#process}-${this.#count.toString(36)}`;
  }
}
