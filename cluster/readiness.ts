import { setTimeout as pause } from "node:timers/promises";

/** Asks once. @returns undefined if it is so, else what stands against it */
export type Question = () => Promise<string | undefined>;

const pollMs = 25;
const pollTimeoutMs = 2000;

/** Whether the node at this origin serves. */
export function serves(origin: string): Question {
  return () => get(`${origin}/ready`, (response, text) => (response.ok ? undefined : `${response.status} ${text}`));
}

/** Whether the node at this origin knows that it is a voter. */
export function isVoter(origin: string, id: number): Question {
  return () =>
    get(`${origin}/api/v1/cluster`, (response, text) => {
      if (!response.ok) return `${response.status} ${text}`;
      const { nodes } = JSON.parse(text) as {
        readonly nodes: readonly { readonly id: number; readonly kind: string }[];
      };
      const kind = nodes.find((node) => node.id === id)?.kind;
      return kind === "voter" ? undefined : `it is ${kind === undefined ? "no member" : `a ${kind}`} yet`;
    });
}

/** Who belongs to the cluster, as the node at this origin knows it; undefined as long as it does not serve. */
export async function membersAt(origin: string): Promise<readonly number[] | undefined> {
  let members: readonly number[] | undefined;
  await get(`${origin}/api/v1/cluster`, (response, text) => {
    if (!response.ok) return text;
    const view = JSON.parse(text) as { readonly ready: boolean; readonly nodes: readonly { readonly id: number }[] };
    if (view.ready) members = view.nodes.map(({ id }) => id);
    return undefined;
  });
  return members;
}

async function get(
  url: string,
  judge: (response: Response, text: string) => string | undefined,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(pollTimeoutMs) });
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
