import { FolioError } from "../src/client/error.js";
import type { FolioRestClient } from "../src/client/rest-client.js";

/** The sequences that a local cluster starts with, so that the first call shows something real. */
export const sampleDefinitions = {
  SG: { format_template: "%s%06d", description: "general documents: SG000001" },
  INV: { format_template: "{PREFIX}{YYYY}-{SEQ:4}", reset_rule: "yearly", description: "invoices: INV2026-0001" },
  PO: { format_template: "%s%08d", description: "purchase orders: PO00000001" },
  QUO: { format_template: "%s%06d", description: "quotations: QUO000001" },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

async function exists(client: FolioRestClient, prefix: string): Promise<boolean> {
  try {
    await client.call({ method: "GET", path: `/config/${prefix}`, repeatability: "read" });
    return true;
  } catch (error) {
    if (error instanceof FolioError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}

/**
 * Configures the sample sequences that do not exist yet: what somebody changed stays as it is.
 *
 * @param client one that sends an administrator's key
 * @throws FolioError
 */
export async function loadSamples(client: FolioRestClient): Promise<void> {
  for (const [prefix, body] of Object.entries(sampleDefinitions)) {
    if (await exists(client, prefix)) continue;
    try {
      // A condition rather than a key, which a definition does not take: whoever was first keeps what was configured, and
      // a repetition is as harmless as that of a read.
      const headers = { "if-none-match": "*" };
      await client.call({ method: "POST", path: `/config/${prefix}`, body, headers, repeatability: "read" });
    } catch (error) {
      if (!(error instanceof FolioError && error.code === "PRECONDITION_FAILED")) throw error;
    }
  }
}
