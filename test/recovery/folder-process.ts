import { fillStores } from "../../src/fill-stores.js";
import { closeStores, openStores } from "../../src/node-stores.js";
import { writeLog } from "../../src/recovery/stores.js";

/** What another process is told to do with a folder: fill new stores in it, as a restore does, or open them, as a node does. */
export interface Order {
  readonly kind: "fill" | "open";
  readonly dataDir: string;
}

/** What became of it; stores that are open, or still filled, stay so until the next message. */
export type Report =
  | { readonly kind: "holds"; readonly storeId: string }
  | { readonly kind: "done"; readonly storeId: string }
  | { readonly kind: "failed"; readonly message: string };

/** What a store has that was filled. */
export const FILLED_TERM = 7;

function report(told: Report): void {
  process.send?.(told);
}

function released(): Promise<void> {
  return new Promise((resolve) => {
    process.once("message", () => resolve());
  });
}

async function carryOut({ kind, dataDir }: Order): Promise<void> {
  const place = { dataDir, nodeId: 1, notice: () => undefined };
  if (kind === "open") {
    const stores = await openStores(place);
    const { storeId } = stores.log;
    report({ kind: "holds", storeId });
    await released();
    await closeStores(stores);
    report({ kind: "done", storeId });
    return;
  }
  const storeId = await fillStores(place, async ({ log }) => {
    await writeLog(log, { hardState: { term: FILLED_TERM, votedFor: 1 }, entries: [] });
    report({ kind: "holds", storeId: log.storeId });
    await released();
    return log.storeId;
  });
  report({ kind: "done", storeId });
}

async function serve(): Promise<void> {
  for (;;) {
    const order = await new Promise<Order>((resolve) => {
      process.once("message", (message) => resolve(message as Order));
    });
    await carryOut(order).catch((error: unknown) => report({ kind: "failed", message: String(error) }));
  }
}

void serve();
