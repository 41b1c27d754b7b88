import { setTimeout as pause } from "node:timers/promises";
import { LaunchError } from "./launch-error.js";
import { describeExit, type NodeProcess } from "./node-process.js";

/** Asks once. @returns undefined if it is so, else what stands against it */
export type Question = () => Promise<string | undefined>;

const pollMs = 25;
const pollTimeoutMs = 2000;
/** An election may be under way. */
const quorumMs = 5000;

/** Whether the node at this origin serves. */
export function serves(origin: string): Question {
  return () => get(`${origin}/ready`, (response, text) => (response.ok ? undefined : `${response.status} ${text}`));
}

/** A member of the cluster, as a node knows it. */
export interface KnownMember {
  readonly id: number;
  readonly kind: "voter" | "learner";
  readonly reachable: boolean;
}

/** What a node tells about its cluster. */
export interface KnownCluster {
  readonly ready: boolean;
  /** A leader is known, and a quorum in touch. */
  readonly healthy: boolean;
  readonly nodes: readonly KnownMember[];
}

/** A node's origin, and a key that its client calls are open to; "" where they need none. */
export interface Asked {
  readonly origin: string;
  readonly apiKey: string;
}

/** Whether the node knows that it is a voter. */
export function isVoter(asked: Asked, id: number): Question {
  return () =>
    getCluster(asked, ({ nodes }) => {
      const kind = nodes.find((node) => node.id === id)?.kind;
      return kind === "voter" ? undefined : `it is ${kind === undefined ? "no member" : `a ${kind}`} yet`;
    });
}

/** What the node tells of its cluster, whether it serves or not; undefined if it does not answer. */
export async function toldBy(asked: Asked): Promise<KnownCluster | undefined> {
  let told: KnownCluster | undefined;
  await getCluster(asked, (cluster) => {
    told = cluster;
    return undefined;
  });
  return told;
}

/** What the node knows of its cluster; undefined as long as it does not serve. */
async function clusterAt(asked: Asked): Promise<KnownCluster | undefined> {
  const told = await toldBy(asked);
  return told?.ready === true ? told : undefined;
}

/** As one of these nodes knows it that serves, one in touch with a quorum if there is any; undefined if none serves. */
export async function clusterKnownTo(asked: readonly Asked[]): Promise<KnownCluster | undefined> {
  const endsAt = performance.now() + quorumMs;
  for (;;) {
    const answers = await Promise.all(asked.map((one) => clusterAt(one)));
    const known = answers.find((answer) => answer?.healthy === true);
    if (known !== undefined) return known;
    if (performance.now() >= endsAt) return answers.find((answer) => answer !== undefined);
    await pause(pollMs);
  }
}

function getCluster({ origin, apiKey }: Asked, judge: (told: KnownCluster) => string | undefined) {
  return get(
    `${origin}/api/v1/cluster`,
    (response, text) => (response.ok ? judge(JSON.parse(text) as KnownCluster) : `${response.status} ${text}`),
    apiKey === "" ? {} : { "x-api-key": apiKey },
  );
}

async function get(
  url: string,
  judge: (response: Response, text: string) => string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(pollTimeoutMs) });
    return judge(response, await response.text());
  } catch (error) {
    // Not listening yet, or too busy: the next poll tells.
    const { message, cause } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}

/**
 * Asks until it is so. A deadline by the clock: a timeout signal that nothing else holds may be collected before it fires.
 * @returns undefined if it is so, else what stood against it last
 */
export async function poll(
  question: Question,
  until: { readonly endsAt: number; readonly gaveUp: AbortSignal },
): Promise<string | undefined> {
  let last: string | undefined = "it did not answer";
  while (!until.gaveUp.aborted && performance.now() < until.endsAt) {
    last = await question();
    if (last === undefined) return undefined;
    await pause(pollMs);
  }
  return last;
}

export interface Coming {
  /** What is asked, as a verb. */
  readonly what: string;
  readonly question: Question;
  readonly withinMs: number;
  /** Ends the waiting before. */
  readonly late: AbortSignal | undefined;
}

/** @throws LaunchError if the node ends before, takes too long, or is late */
export async function comesTo(node: NodeProcess, { what, question, withinMs, late }: Coming): Promise<void> {
  const endsAt = performance.now() + withinMs;
  const settled = new AbortController();
  const gaveUp = late === undefined ? settled.signal : AbortSignal.any([settled.signal, late]);
  const exited = node.exited.then((exit) => {
    throw new LaunchError(describeExit(exit));
  });
  try {
    const last = await Promise.race([exited, poll(question, { endsAt, gaveUp })]);
    if (last === undefined) return;
    throw new LaunchError([`node ${node.id} does not ${what}: ${last}`, ...node.lastLines()].join("\n"));
  } finally {
    settled.abort();
  }
}
