import { Agent } from "node:http";
import type { LocalCluster } from "../../cluster/launcher.js";
import type { DrawAttempt, Operation } from "../history/history.js";
import { type CallOutcome, httpCall } from "./http-call.js";

const TIMEOUT_MS = 15_000;
/** A node that is down refuses at once; its clients do not have to spin. */
const PAUSE_MS = 25;
const ATTEMPTS_PER_KEY_MAX = 20;

/** How one client draws. */
export interface ClientPlan {
  readonly prefix: string;
  /** The node it begins with; a keyed client goes on to the others. */
  readonly node: number;
  /** Repeats what failed under one idempotency key, at any node; without it, nothing is repeated. */
  readonly isKeyed: boolean;
  readonly count: number;
}

export interface Clients {
  /** By prefix: everything that clients saw. */
  readonly operations: ReadonlyMap<string, readonly Operation[]>;
  readonly drawn: number;
  /** The longest that a draw took that was answered with a number, ms. */
  readonly longestMs: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** Ends after the calls under way. */
  stop(): Promise<void>;
}

/** Closed-loop clients over REST; times are ms of this process's monotonic clock. */
export function startClients(cluster: LocalCluster, plans: readonly ClientPlan[]): Clients {
  const operations = new Map<string, Operation[]>();
  const outcomes = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: plans.length });
  let drawn = 0;
  let longestMs = 0;
  let isStopping = false;
  let lastId = 0;

  const attempt = async (plan: ClientPlan, node: number, id: string): Promise<DrawAttempt> => {
    const invoked = performance.now();
    const call = await httpCall({
      url: new URL(`${cluster.rest(node)}/api/v1/batch`),
      agent,
      body: { prefix: plan.prefix, count: plan.count, contiguous: true },
      headers: plan.isKeyed ? { "idempotency-key": id } : {},
      timeoutMs: TIMEOUT_MS,
    });
    const returned = performance.now();
    const outcome = outcomeOf(call);
    outcomes.set(nameOf(call), (outcomes.get(nameOf(call)) ?? 0) + 1);
    if (outcome.kind === "drawn") {
      drawn += plan.count;
      longestMs = Math.max(longestMs, returned - invoked);
    }
    const isKnown = outcome.kind !== "unknown";
    const seen: DrawAttempt = {
      kind: "draw",
      id,
      count: plan.count,
      invoked,
      returned: isKnown ? returned : Number.POSITIVE_INFINITY,
      outcome,
    };
    const list = operations.get(plan.prefix) ?? [];
    list.push(seen);
    operations.set(plan.prefix, list);
    return seen;
  };

  const client = async (plan: ClientPlan): Promise<void> => {
    let node = plan.node;
    while (!isStopping) {
      const id = `${plan.prefix}-${++lastId}`;
      for (let tried = 0; tried < (plan.isKeyed ? ATTEMPTS_PER_KEY_MAX : 1); tried++) {
        const { outcome } = await attempt(plan, node, id);
        if (outcome.kind === "drawn") break;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        if (plan.isKeyed) node = (node % cluster.ids.length) + 1;
      }
    }
  };

  const ended = Promise.all(plans.map(client));
  return {
    operations,
    outcomes,
    get drawn() {
      return drawn;
    },
    get longestMs() {
      return longestMs;
    },
    stop: async () => {
      isStopping = true;
      await ended;
      agent.destroy();
    },
  };
}

function nameOf(call: CallOutcome): string {
  return call.kind === "answered" ? String(call.status) : call.kind;
}

function outcomeOf(call: CallOutcome): DrawAttempt["outcome"] {
  if (call.kind === "notSent") return { kind: "notExecuted" };
  if (call.kind === "lost") return { kind: "unknown" };
  const {
    first_counter: first,
    last_counter: last,
    code,
  } = call.body as {
    readonly first_counter?: number;
    readonly last_counter?: number;
    readonly code?: string;
  };
  if (call.status === 200 && first !== undefined && last !== undefined) return { kind: "drawn", epoch: 0, first, last };
  return { kind: code === "NOT_EXECUTED" ? "notExecuted" : "unknown" };
}
