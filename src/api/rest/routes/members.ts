import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import type { Administration, MembershipChange, MembershipOutcome } from "../../port.js";
import { invalidField, Problem } from "../../problem.js";
import {
  flagField,
  NODE_ID_EXPECTED,
  NODE_ID_MAX,
  nodeIdField,
  nodeIdText,
  PEER_ADDRESS_EXPECTED,
  peerAddressField,
} from "../../request-fields.js";
import { KEY_NEEDED, membershipAnswer, problemResponses } from "../answer-schemas.js";
import { proposeOptionsOf } from "../callers.js";
import type { RestApp } from "../edge.js";
import { closed } from "../request-schemas.js";

const PORT_MAX = 65_535;

const newMember = Type.Object(
  { id: nodeIdField, address: peerAddressField, voter: Type.Optional(flagField) },
  { ...closed, examples: [{ id: 4, address: "10.0.0.4:7070", voter: true }] },
);
const successor = Type.Object({ id: Type.Optional(nodeIdField) }, closed);
const params = Type.Object({ id: nodeIdText }, closed);

/** POST and DELETE below /cluster/members, and POST /cluster/leader: who belongs to the cluster, and who leads it. */
export function memberRoutes(app: RestApp, administration: Administration): void {
  const config = { access: "admin" } as const;
  const shared = {
    tags: ["administration"],
    security: KEY_NEEDED,
    response: { 200: membershipAnswer, ...problemResponses },
  };
  const change = async (wanted: MembershipChange, request: FastifyRequest) =>
    answerOf(wanted, await administration.changeMembers(wanted, proposeOptionsOf(request)?.deadlineMs));

  const adding = "Let a node in that runs at this address: as a learner, with voter as a voter once it has caught up";
  app.post("/cluster/members", { config, schema: { ...shared, summary: adding, body: newMember } }, (request) => {
    const { id, address, voter = false } = request.body;
    return change({ kind: "add", id, address: withSoundPort(address), voter }, request);
  });
  app.post(
    "/cluster/members/:id/promote",
    { config, schema: { ...shared, summary: "Make a learner that has caught up a voter", params } },
    (request) => change({ kind: "promote", id: idOf(request.params.id) }, request),
  );
  app.delete(
    "/cluster/members/:id",
    { config, schema: { ...shared, summary: "Take a node's seat away; the leader's, too", params } },
    (request) => change({ kind: "remove", id: idOf(request.params.id) }, request),
  );
  const transferring = "Hand leadership over, to the given voter or to whoever is furthest";
  app.post(
    "/cluster/leader",
    {
      config,
      schema: { ...shared, summary: transferring, body: successor },
      // Nothing to say may be said by no body at all.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {};
      },
    },
    (request) => change({ kind: "transfer", id: request.body.id }, request),
  );
}

/** The path is not coerced, as no part of a request is. */
function idOf(text: string): number {
  if (Number(text) > NODE_ID_MAX) throw invalidField("id", NODE_ID_EXPECTED);
  return Number(text);
}

function withSoundPort(address: string): string {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  if (port > PORT_MAX) throw invalidField("address", PEER_ADDRESS_EXPECTED);
  return address;
}

function answerOf(change: MembershipChange, outcome: MembershipOutcome): Static<typeof membershipAnswer> {
  if (outcome.kind === "refused") throw new Problem("CONFLICT", outcome.detail);
  if (outcome.kind === "absent") throw new Problem("NOT_FOUND", outcome.detail);
  const { members, leaderId } = outcome;
  return {
    message: messageOf(change, outcome),
    leader_id: leaderId ?? null,
    members: members.map(({ id, kind, address }) => ({ id, kind, address })),
  };
}

function messageOf(change: MembershipChange, done: Extract<MembershipOutcome, { readonly kind: "done" }>): string {
  switch (change.kind) {
    case "add":
    case "promote": {
      const kind = done.members.find(({ id }) => id === change.id)?.kind;
      if (kind === undefined) return `node ${change.id} was let in and has been removed since`;
      const pending = change.kind === "add" && change.voter && kind === "learner";
      return `node ${change.id} is a ${kind}${pending ? ", which has not caught up yet: promote it later" : ""}`;
    }
    case "remove":
      return `node ${change.id} has no seat any more`;
    case "transfer":
      return done.leaderId === undefined ? "leadership was handed over" : `node ${done.leaderId} leads`;
  }
}
