import { Writable } from "node:stream";
import type { InjectOptions } from "fastify";
import { pino } from "pino";
import { Registry } from "prom-client";
import type { Test } from "tap";
import { ApiKeys } from "../../src/access/api-keys.js";
import type { Backend, ClusterView, Consistency, ProposeOptions, Reading } from "../../src/api/port.js";
import type { FieldError } from "../../src/api/problem.js";
import { buildRestApp } from "../../src/api/rest/app.js";
import type { RestApp, RestOptions } from "../../src/api/rest/edge.js";
import type { InvariantViolation } from "../../src/assert.js";
import type { Command } from "../../src/sequence/command.js";
import type { Definition } from "../../src/sequence/definition.js";
import type { Query, QueryAnswer } from "../../src/sequence/query.js";
import type { CommandResult, Drawn } from "../../src/sequence/result.js";
import { ScriptedAdministration } from "./scripted-administration.js";

export const ADMIN = { "x-api-key": "admin-key" } as const;

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
  version: 7,
  explicit: true,
  createdAt: Date.UTC(2026, 0, 1),
  updatedAt: Date.UTC(2026, 1, 1),
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

/** Remembers what it was asked and says what the test wants; draws count from 1 unless told otherwise. */
export class ScriptedBackend implements Backend {
  readonly commands: Command[] = [];
  /** Of each of them, as its edge asked; undefined: the default. */
  readonly deadlinesMs: (number | undefined)[] = [];
  readonly queries: { readonly query: Query; readonly consistency: Consistency }[] = [];
  #counter = 0;
  result: (command: Command) => Promise<CommandResult> = async (command) => this.#draw(command);
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
    this.deadlinesMs.push(options?.deadlineMs);
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

  #draw(command: Command): Drawn {
    if (command.kind !== "draw") throw new Error(`no script for ${command.kind}`);
    const first = this.#counter + 1;
    this.#counter += command.count;
    const ranges = [{ first, last: this.#counter }];
    return {
      ...drawn,
      prefix: command.prefix,
      definition: { ...definition, prefix: command.prefix },
      ranges,
      count: command.count,
    };
  }
}

export interface RestEdge {
  readonly app: RestApp;
  readonly backend: ScriptedBackend;
  readonly administration: ScriptedAdministration;
  /** Parsed lines of the log. */
  readonly log: Readonly<Record<string, unknown>>[];
  readonly violations: InvariantViolation[];
}

/** The real app over a scripted backend; closed with the test. */
export async function startEdge(t: Test, options: Partial<RestOptions> = {}): Promise<RestEdge> {
  const backend = new ScriptedBackend();
  const administration = new ScriptedAdministration();
  const log: Record<string, unknown>[] = [];
  const violations: InvariantViolation[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const app = await buildRestApp({
    backend,
    administration,
    access: new ApiKeys({ clients: [], admins: ["admin-key"] }),
    limiter: undefined,
    logger: pino({ level: "debug" }, sink),
    metrics: new Registry(),
    version: "1.2.3",
    requestDeadlineMs: 10_000,
    crash: (violation) => violations.push(violation),
    ...options,
  });
  t.teardown(() => app.close());
  return { app, backend, administration, log, violations };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** {} where the answer has no JSON. */
  readonly body: Readonly<Record<string, unknown>> & { readonly errors?: readonly FieldError[] };
  readonly text: string;
}

export async function call(app: RestApp, options: InjectOptions): Promise<Answer> {
  const response = await app.inject(options);
  const type = String(response.headers["content-type"] ?? "");
  const body = type.includes("json") && response.body !== "" ? (response.json() as Answer["body"]) : {};
  return { status: response.statusCode, headers: response.headers, body, text: response.body };
}

/** POST with a body of any text, as application/json. */
export function postText(url: string, payload: string): InjectOptions {
  return { method: "POST", url, payload, headers: { ...ADMIN, "content-type": "application/json" } };
}
