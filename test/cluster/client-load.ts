import { FolioError } from "../../src/client/error.js";
import { FolioClient } from "../../src/client/folio-client.js";
import type { Attempt } from "./load.js";

/** Callers as they should be: each has all addresses, and its calls go elsewhere when a node fails. */
export interface ClientLoad {
  readonly attempts: readonly Attempt[];
  readonly drawn: number;
  /** The longest that an answered draw took, ms. */
  readonly longestMs: number;
  /** More callers, beginning at this address (host:port). */
  join(address: string, others: readonly string[]): void;
  /** Ends after the calls under way. */
  stop(): Promise<void>;
}

const CLIENTS_PER_NODE = 4;

/** @param addresses gRPC, host:port: each has callers of its own that begin there */
export function startClientLoad(prefix: string, addresses: readonly string[]): ClientLoad {
  const attempts: Attempt[] = [];
  const running: Promise<void>[] = [];
  const clients: FolioClient[] = [];
  let drawn = 0;
  let longestMs = 0;
  let isStopped = false;

  const run = async (client: FolioClient, node: number): Promise<void> => {
    while (!isStopped) {
      const invokedAt = performance.now();
      const { counter, outcome } = await draw(client, prefix);
      const returnedAt = performance.now();
      attempts.push({ node, invokedAt, returnedAt, counter, outcome });
      if (counter === undefined) continue;
      drawn++;
      longestMs = Math.max(longestMs, returnedAt - invokedAt);
    }
  };
  const join = (address: string, others: readonly string[]) => {
    const node = clients.length + 1;
    const client = new FolioClient({ addresses: [address, ...others.filter((other) => other !== address)] });
    clients.push(client);
    for (let place = 0; place < CLIENTS_PER_NODE; place++) running.push(run(client, node));
  };
  for (const address of addresses) join(address, addresses);
  return {
    attempts,
    join,
    get drawn() {
      return drawn;
    },
    get longestMs() {
      return longestMs;
    },
    stop: async () => {
      isStopped = true;
      await Promise.all(running);
      for (const client of clients) client.close();
    },
  };
}

async function draw(client: FolioClient, prefix: string): Promise<Pick<Attempt, "counter" | "outcome">> {
  try {
    const { counter } = await client.next(prefix);
    return { counter, outcome: 200 };
  } catch (error) {
    if (!(error instanceof FolioError)) throw error;
    return { counter: undefined, outcome: error.code === "NOT_EXECUTED" ? 503 : error.code };
  }
}
