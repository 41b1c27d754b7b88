import { FolioError } from "../../src/client/error.js";
import { FolioClient } from "../../src/client/folio-client.js";
import type { DrawAttempt } from "../history/history.js";
import { judge } from "../history/judge.js";

/** One draw as its caller saw it, with all the attempts that the client made of it. Times: performance.now(). */
export interface Draw {
  readonly caller: number;
  readonly invoked: number;
  readonly returned: number;
  /** undefined: the call failed. */
  readonly counter: number | undefined;
  /** Index of the log entry that drew it; undefined if the call failed. */
  readonly entry: number | undefined;
  /** Why it failed. */
  readonly failure: FolioError | undefined;
}

export interface Callers {
  /** In the order of their returns. */
  readonly draws: readonly Draw[];
  readonly drawn: number;
  /** `count` more callers, who begin at the first of these gRPC addresses and go elsewhere when a node fails. */
  join(addresses: readonly string[], count: number): void;
  /** Ends after the calls under way. */
  stop(): Promise<void>;
}

/**
 * Callers as they should be: FolioClients that know all nodes, each drawing one number after the other, as fast as it
 * gets answers. Every draw has an idempotency key, which is what makes it repeatable.
 */
export function startCallers(prefix: string, addresses: readonly string[], count: number): Callers {
  const draws: Draw[] = [];
  const running: Promise<void>[] = [];
  const clients: FolioClient[] = [];
  let drawn = 0;
  let isStopping = false;

  const run = async (client: FolioClient, caller: number): Promise<void> => {
    while (!isStopping) {
      const invoked = performance.now();
      const outcome = await draw(client, prefix);
      draws.push({ caller, invoked, returned: performance.now(), ...outcome });
      if (outcome.counter !== undefined) drawn += 1;
    }
  };
  const join = (known: readonly string[], more: number): void => {
    for (let place = 0; place < more; place++) {
      const client = new FolioClient({ addresses: known });
      clients.push(client);
      running.push(run(client, clients.length));
    }
  };
  join(addresses, count);
  return {
    draws,
    join,
    get drawn() {
      return drawn;
    },
    stop: async () => {
      isStopping = true;
      await Promise.all(running);
      for (const client of clients) client.close();
    },
  };
}

async function draw(client: FolioClient, prefix: string): Promise<Pick<Draw, "counter" | "entry" | "failure">> {
  try {
    const { counter, messageId } = await client.next(prefix);
    return { counter, entry: Number(messageId.split("-")[0]), failure: undefined };
  } catch (error) {
    if (!(error instanceof FolioError)) throw error;
    return { counter: undefined, entry: undefined, failure: error };
  }
}

/** @returns what is wrong with these draws from one series whose first number is `first`, in sentences */
export function faultsOf(draws: readonly Draw[], first: number): string[] {
  const faults: string[] = [];
  const failures = draws.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  if (failures.length > 0) {
    faults.push(`${failures.length} calls failed, the first with ${failures[0]?.code}: ${failures[0]?.message}`);
  }
  const verdict = judge({ start: first, step: 1, operations: draws.map(attemptOf) });
  if (verdict.kind === "broken") faults.push(`${verdict.rule}: ${verdict.message}`);
  return faults;
}

function attemptOf({ invoked, returned, counter, failure }: Draw, place: number): DrawAttempt {
  const attempt = { kind: "draw", id: String(place), count: 1, invoked, returned } as const;
  if (counter !== undefined) return { ...attempt, outcome: { kind: "drawn", epoch: 0, first: counter, last: counter } };
  if (failure?.code === "NOT_EXECUTED") return { ...attempt, outcome: { kind: "notExecuted" } };
  return { ...attempt, returned: Number.POSITIVE_INFINITY, outcome: { kind: "unknown" } };
}
