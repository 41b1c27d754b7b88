import type { NodeId } from "../raft/types.js";
import {
  type ChangeMembersReply,
  type Description,
  PeerCallFailure,
  type PeerCalls,
  type TransportEvents,
} from "./transport.js";

/** A node as far as calls go. */
interface Called {
  readonly id: NodeId;
  readonly events: TransportEvents | undefined;
}

export interface MemoryCallsOptions {
  /** Calls back later at `to`. */
  readonly defer: (callback: () => void, from: NodeId, to: NodeId) => void;
  /** Asked when a request or an answer arrives: whether it gets through. */
  readonly reaches: (from: NodeId, to: NodeId) => boolean;
  readonly listener: (address: string) => Called | undefined;
  readonly timer: ((delayMs: number, callback: () => void) => () => void) | undefined;
}

/** A call that has reached its node and waits for the answer. */
interface Waiting {
  readonly caller: NodeId;
  readonly called: NodeId;
  readonly lost: () => void;
}

/** The calls that are under way in a network in memory. */
export class MemoryCalls {
  readonly #options: MemoryCallsOptions;
  readonly #waiting = new Set<Waiting>();

  constructor(options: MemoryCallsOptions) {
    this.#options = options;
  }

  of(caller: NodeId): PeerCalls {
    return {
      changeMembers: (address, request, deadlineMs) =>
        this.#call<ChangeMembersReply>({ caller, address, deadlineMs }, (events, done) =>
          events.membersChangeRequested(request, done),
        ),
      describe: (address, deadlineMs) =>
        this.#call<Description>({ caller, address, deadlineMs }, (events, done) => done(events.describeRequested())),
    };
  }

  /** Those that wait for an answer learn that none will come. */
  cut(isCut: (caller: NodeId, called: NodeId) => boolean): void {
    for (const { caller, called, lost } of [...this.#waiting]) if (isCut(caller, called)) lost();
  }

  #call<Answer>(
    { caller, address, deadlineMs }: { readonly caller: NodeId; readonly address: string; readonly deadlineMs: number },
    ask: (events: TransportEvents, done: (answer: Answer) => void) => void,
  ): Promise<Answer> {
    const { defer, reaches, listener, timer } = this.#options;
    const called = listener(address);
    return new Promise<Answer>((resolve, reject) => {
      const over = (): void => {
        stopClock?.();
        this.#waiting.delete(waiting);
      };
      const fail = (kind: PeerCallFailure["kind"], reason: string): void => {
        over();
        reject(new PeerCallFailure(kind, `${address} ${reason}`));
      };
      const stopClock = timer?.(deadlineMs, () => fail("unanswered", `did not answer within ${deadlineMs} ms`));
      const lost = (): void =>
        defer(() => fail("unanswered", "was lost before it answered"), called?.id ?? caller, caller);
      const waiting: Waiting = { caller, called: called?.id ?? 0, lost };
      defer(
        () => {
          const events = called !== undefined && listener(address) === called ? called.events : undefined;
          if (events === undefined || called === undefined || !reaches(caller, called.id)) {
            return fail("unreachable", "cannot be reached");
          }
          this.#waiting.add(waiting);
          ask(events, (answer) =>
            defer(
              () => {
                if (!reaches(called.id, caller)) return lost();
                over();
                resolve(answer);
              },
              called.id,
              caller,
            ),
          );
        },
        caller,
        called?.id ?? caller,
      );
    });
  }
}
