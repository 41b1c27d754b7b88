import type { Backend, ClusterView, Consistency, ProposeOptions, Reading } from "../../src/api/port.js";
import type { Command } from "../../src/sequence/command.js";
import type { Definition } from "../../src/sequence/definition.js";
import type { Query, QueryAnswer, StatusAnswer } from "../../src/sequence/query.js";
import type { CommandResult, Drawn, ResetDone } from "../../src/sequence/result.js";

export const definition: Definition = {
  prefix: "SG",
  template: "%s%06d",
  padding: 6,
  separator: "",
  start: 1,
  step: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  resetRule: "never",
  timeZone: "UTC",
  zoneTransitions: [],
  fiscalYearStart: 1,
  scope: "global",
  gapPolicy: "keep",
  profile: "",
  isActive: true,
  description: "",
  version: 1,
  explicit: true,
  createdAt: 0,
  updatedAt: 0,
};

export const drawn: Drawn = {
  kind: "drawn",
  prefix: "SG",
  definition,
  period: "",
  epoch: 0,
  date: { year: 2026, month: 11, day: 20 },
  scope: { site: "", partition: "", documentType: "" },
  ranges: [{ first: 1, last: 1 }],
  count: 1,
  time: Date.UTC(2026, 10, 20, 8, 30),
  messageId: "17-0",
  replayed: false,
  created: false,
};

export const resetDone: ResetDone = {
  kind: "reset",
  prefix: "SG",
  period: "",
  epoch: 0,
  oldValue: 1,
  newValue: 50,
  skipped: undefined,
};

export const statusAnswer: StatusAnswer = {
  kind: "status",
  definition,
  period: "",
  epoch: 0,
  currentCounter: 12,
  nextCounter: 13,
  nextFullNumber: "SG000013",
  totalGenerated: 12,
  lastGenerated: Date.UTC(2026, 0, 1),
  released: 0,
  reserved: 0,
};

/** A backend that remembers what it was asked and says what the test wants. */
export class ScriptedBackend implements Backend {
  readonly commands: Command[] = [];
  readonly proposeOptions: (ProposeOptions | undefined)[] = [];
  readonly queries: { readonly query: Query; readonly consistency: Consistency }[] = [];
  result: (command: Command) => Promise<CommandResult> = async () => drawn;
  answer: (query: Query) => Promise<QueryAnswer> = async () => ({ kind: "absent" });
  view: ClusterView = {
    clusterId: "cluster-1",
    nodeId: 2,
    leaderId: 3,
    term: 4,
    commitIndex: 50,
    appliedIndex: 49,
    nodes: [],
    healthy: true,
    ready: true,
    reason: "",
  };

  propose(command: Command, options?: ProposeOptions): Promise<CommandResult> {
    this.commands.push(command);
    this.proposeOptions.push(options);
    return this.result(command);
  }

  async query(query: Query, consistency: Consistency): Promise<Reading> {
    this.queries.push({ query, consistency });
    const answer = await this.answer(query);
    return { answer, servedBy: 2, leaderId: 3, appliedIndex: 49, lag: 1, clusterHealthy: true };
  }

  cluster(): ClusterView {
    return this.view;
  }
}
