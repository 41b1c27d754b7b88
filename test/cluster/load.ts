import { Agent } from "node:http";
import { httpCall } from "../../bench/chaos/http-call.js";
import type { DrawAttempt } from "../../bench/history/history.js";
import { judge } from "../../bench/history/judge.js";
import type { LocalCluster } from "../../cluster/launcher.js";

/** Longer than a node makes anybody wait. */
const TIMEOUT_MS = 30_000;

/** One draw as its client saw it; times in ms of one monotonic clock. */
export interface Attempt {
  readonly node: number;
  readonly invokedAt: number;
  readonly returnedAt: number;
  /** The number drawn; undefined if the call failed. */
  readonly counter: number | undefined;
  /** HTTP status, or what became of the connection. */
  readonly outcome: number | string;
}

export interface Load {
  readonly attempts: readonly Attempt[];
  /** Answered draws so far. */
  readonly drawn: number;
  /** Resolves when all clients have ended. */
  readonly ended: Promise<void>;
  stop(): void;
}

/**
 * Closed-loop clients that draw from one sequence, one number per call, spread over the nodes.
 * They never repeat a call: what a node answers is what counts.
 */
export function startLoad(
  cluster: LocalCluster,
  options: {
    readonly prefix: string;
    readonly clients: number;
    readonly nodes: readonly number[];
    readonly draws: number;
  },
): Load {
  const attempts: Attempt[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: options.clients });
  let drawn = 0;
  let begun = 0;
  let isStopped = false;
  const client = async (node: number) => {
    const url = new URL(`${cluster.rest(node)}/api/v1/next/${options.prefix}`);
    while (!isStopped && begun < options.draws) {
      begun++;
      const attempt = await draw(url, agent, node);
      attempts.push(attempt);
      if (attempt.counter !== undefined) drawn++;
      // A node that is down refuses at once; its clients do not have to spin.
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const clients = Array.from({ length: options.clients }, (_, place) =>
    client(options.nodes[place % options.nodes.length] ?? 1),
  );
  return {
    attempts,
    get drawn() {
      return drawn;
    },
    ended: Promise.all(clients).then(() => agent.destroy()),
    stop: () => {
      isStopped = true;
    },
  };
}

async function draw(url: URL, agent: Agent, node: number): Promise<Attempt> {
  const invokedAt = performance.now();
  const call = await httpCall({ url, agent, timeoutMs: TIMEOUT_MS });
  const counter =
    call.kind === "answered" && call.status === 200 ? (call.body as { counter: number }).counter : undefined;
  const outcome = call.kind === "answered" ? call.status : call.kind === "notSent" ? call.kind : call.why;
  return { node, invokedAt, returnedAt: performance.now(), counter, outcome };
}

/**
 * What is wrong with a history of single draws from one series: see bench/history.
 *
 * @returns sentences; none if all is well
 */
export function faultsOf(attempts: readonly Attempt[], first: number): string[] {
  const operations = attempts.map(({ invokedAt: invoked, returnedAt, counter, outcome }, place): DrawAttempt => {
    const attempt = { kind: "draw", id: String(place), count: 1, invoked, returned: returnedAt } as const;
    if (counter !== undefined)
      return { ...attempt, outcome: { kind: "drawn", epoch: 0, first: counter, last: counter } };
    // NOT_EXECUTED is the only 503 that a draw ends with.
    if (outcome === 503 || outcome === "notSent") return { ...attempt, outcome: { kind: "notExecuted" } };
    return { ...attempt, returned: Number.POSITIVE_INFINITY, outcome: { kind: "unknown" } };
  });
  const verdict = judge({ start: first, step: 1, operations });
  return verdict.kind === "broken" ? [`${verdict.rule}: ${verdict.message}`] : [];
}
