import { Batch, Group, SessionCommand } from "../../../src/generated/folio/log/v1/log.js";
import { SESSION_MACHINE_ID } from "../../../src/machine/replicated-state.js";
import type { Entry, Member } from "../../../src/raft/types.js";
import type { ReportViolation } from "./violation.js";

interface Session {
  readonly nodeId: number;
  readonly storeId: string;
  readonly nonce: string;
  lowWater: number;
  readonly acted: Set<number>;
}

/**
 * Exactly-once, told again in the simplest way, from the entries alone: a command acts if its session
 * is open, it is not below the mark, and its tag has not acted before. Nothing else acts. A session is
 * open while its very store is a member.
 */
export class SessionModel {
  readonly #report: ReportViolation;
  readonly #hasEffect: (index: number, ordinal: number) => boolean;
  readonly #sessions = new Map<number, Session>();
  #members: readonly Member[] | undefined;
  #checkedIndex = 0;

  constructor(hasEffect: (index: number, ordinal: number) => boolean, report: ReportViolation) {
    this.#hasEffect = hasEffect;
    this.#report = report;
  }

  get nextIndex(): number {
    return this.#checkedIndex + 1;
  }

  /** Some node has applied the entry, the first that did. */
  applied(entry: Entry): void {
    this.#checkedIndex = entry.index;
    if (entry.body.kind === "configuration") this.#changed(entry.body.configuration.members);
    if (entry.body.kind !== "command") return;
    let ordinal = 0;
    for (const bytes of Batch.decode(entry.body.payload).groups) {
      const group = Group.decode(bytes);
      const session = this.#sessions.get(group.session);
      if (session !== undefined) session.lowWater = Math.max(session.lowWater, group.lowWater);
      for (const { machine, request, payload } of group.commands) {
        if (machine === SESSION_MACHINE_ID) this.#register(entry.index, payload);
        else this.#check({ index: entry.index, ordinal, session: group.session, request });
        ordinal++;
      }
    }
  }

  #changed(members: readonly Member[]): void {
    this.#members = members;
    for (const [id, session] of this.#sessions) if (!this.#isMember(session)) this.#sessions.delete(id);
  }

  #isMember({ nodeId, storeId }: Pick<Session, "nodeId" | "storeId">): boolean {
    return this.#members?.some((member) => member.id === nodeId && member.storeId === storeId) !== false;
  }

  #check(command: {
    readonly index: number;
    readonly ordinal: number;
    readonly session: number;
    readonly request: number;
  }): void {
    const { index, ordinal, request } = command;
    const session = this.#sessions.get(command.session);
    const acts = session !== undefined && request >= session.lowWater && !session.acted.has(request);
    if (acts) session.acted.add(request);
    if (this.#hasEffect(index, ordinal) === acts) return;
    const tag = `request ${request} of session ${command.session}`;
    const text = acts
      ? `${tag} did not act in ${index}-${ordinal}`
      : `${tag} acted in ${index}-${ordinal}, though it was over`;
    this.#report("sessions", text);
  }

  #register(index: number, payload: Uint8Array): void {
    const { body } = SessionCommand.decode(payload);
    if (body === undefined) return;
    const { nodeId, storeId, nonce } = body.value;
    if (!this.#isMember({ nodeId, storeId })) return;
    for (const session of this.#sessions.values()) if (session.nodeId === nodeId && session.nonce === nonce) return;
    for (const [id, session] of this.#sessions) if (session.nodeId === nodeId) this.#sessions.delete(id);
    this.#sessions.set(index, { nodeId, storeId, nonce, lowWater: 1, acted: new Set() });
  }
}
