import { Agent, request } from "node:http";
import type { LocalCluster } from "../../cluster/launcher.js";

/** One draw as its client saw it; times in ms of one monotonic clock. */
export interface Attempt {
  readonly node: number;
  readonly invokedAt: number;
  returnedAt: number;
  /** The number drawn; undefined if the call failed. */
  counter: number | undefined;
  /** HTTP status, or the error of the socket. */
  outcome: number | string;
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

function draw(url: URL, agent: Agent, node: number): Promise<Attempt> {
  return new Promise((resolve) => {
    const attempt: Attempt = { node, invokedAt: performance.now(), returnedAt: 0, counter: undefined, outcome: "" };
    const end = (outcome: number | string) => {
      attempt.returnedAt = performance.now();
      attempt.outcome = outcome;
      resolve(attempt);
    };
    const call = request(url, { agent }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("error", (error) => end(error.message));
      response.on("end", () => {
        if (response.statusCode === 200) attempt.counter = (JSON.parse(body) as { counter: number }).counter;
        end(response.statusCode ?? 0);
      });
    });
    call.on("error", (error) => end(error.message));
    call.end();
  });
}

/**
 * What a history of single draws from one series must show: no number twice; every hole filled by
 * a call whose outcome is not known and that was made before anybody saw a number behind the hole;
 * and of two draws one after the other, the later has the larger number.
 *
 * @returns sentences; none if all is well
 */
export function faultsOf(attempts: readonly Attempt[], first: number): string[] {
  const faults: string[] = [];
  const known = attempts.filter((attempt) => attempt.counter !== undefined);
  known.sort((a, b) => (a.counter ?? 0) - (b.counter ?? 0));
  const unknown = attempts.filter((attempt) => attempt.counter === undefined && attempt.outcome !== 503).length;
  let expected = first;
  let holes = 0;
  let latestInvocation = Number.NEGATIVE_INFINITY;
  for (const { counter = 0, invokedAt, returnedAt } of known) {
    if (counter < expected) faults.push(`${counter} was handed out twice`);
    holes += Math.max(0, counter - expected);
    expected = Math.max(expected, counter + 1);
    if (returnedAt < latestInvocation) faults.push(`${counter} was answered before a smaller number was asked for`);
    latestInvocation = Math.max(latestInvocation, invokedAt);
  }
  if (holes > unknown) faults.push(`${holes} numbers are missing, and only ${unknown} calls may have drawn one`);
  return faults;
}
