import t from "tap";
import { OperatingFailure } from "../../src/failure.js";
import { lonelyNode } from "../client/lonely-node.js";
import { folio, restNode } from "./command-line.js";

t.test("members add, promote, remove and transfer ask for what they say", async (t) => {
  const { administration, url } = await restNode(t);
  const env = { FOLIO_SERVER: url, FOLIO_API_KEY: "admin-key" };
  for (const line of [
    "members add 4 10.0.0.4:7070",
    "members add 5 [::1]:7070 --voter",
    "members promote 4",
    "members remove 4",
    "members transfer 2",
    "members transfer",
  ]) {
    const { code, stderr } = await folio(line, env);
    t.equal(code, 0, stderr);
  }
  t.same(administration.changes, [
    { kind: "add", id: 4, address: "10.0.0.4:7070", voter: false },
    { kind: "add", id: 5, address: "[::1]:7070", voter: true },
    { kind: "promote", id: 4 },
    { kind: "remove", id: 4 },
    { kind: "transfer", id: 2 },
    { kind: "transfer", id: undefined },
  ]);
});

t.test("a change prints what was done and who belongs to the cluster now", async (t) => {
  const { url } = await restNode(t);
  const env = { FOLIO_SERVER: url, FOLIO_API_KEY: "admin-key" };
  const table = await folio("members promote 4 -o table", env);
  t.match(table.stdout, /^node 4 is a learner\n/);
  t.match(table.stdout, /│ 4 +│ learner +│ 10.0.0.4:7070 │/);
  const json = await folio("members promote 4", env);
  t.match(JSON.parse(json.stdout), { leader_id: 3, members: [{ id: 1 }, { id: 4, kind: "learner" }] });
});

t.test("a refusal, a missing key and a cluster without leader have codes of their own", async (t) => {
  const { administration, url } = await restNode(t);
  const env = { FOLIO_SERVER: url, FOLIO_API_KEY: "admin-key" };
  const nobody = await folio("members remove 4", { FOLIO_SERVER: url });
  t.equal(nobody.code, 5);
  administration.outcome = async () => ({ kind: "refused", detail: "Node 1 is the last voter." });
  const refused = await folio("members remove 1", env);
  t.equal(refused.code, 4);
  t.match(refused.stderr, /^folio: CONFLICT: Node 1 is the last voter\./);
  administration.outcome = async () => {
    throw new OperatingFailure("NOT_EXECUTED", "no leader took it", 1000);
  };
  t.equal((await folio("members remove 1 --deadline 500", env)).code, 6);
  administration.outcome = async () => {
    throw new OperatingFailure("OUTCOME_UNKNOWN", "it may have happened");
  };
  const before = administration.changes.length;
  t.equal((await folio("members remove 1", env)).code, 7);
  t.equal(administration.changes.length, before + 1, "what may have happened is not repeated unseen");
});

t.test("without a leader a change ends as certainly not executed, with the reason", async (t) => {
  const { restUrl, adminKey } = await lonelyNode(t);
  const env = { FOLIO_SERVER: restUrl, FOLIO_API_KEY: adminKey };
  const lines = ["members remove 2", "members promote 2", "members transfer"];
  for (const { code, stderr } of await Promise.all(lines.map((line) => folio(`${line} --deadline 2000`, env)))) {
    t.equal(code, 6);
    t.match(stderr, /^folio: NOT_EXECUTED: no leader took it: .*knows no leader/);
  }
});

t.test("a command that there is not is called that", async () => {
  for (const line of ["members frob", "cluster frob", "members frob 4 -o json"]) {
    const { code, stderr } = await folio(line);
    t.equal(code, 2);
    t.match(stderr, `error: there is no command '${line.split(" ").slice(0, 2).join(" ")}'; there are `);
  }
  const excess = await folio("members list frob");
  t.equal(excess.code, 2);
  t.match(excess.stderr, "too many arguments for 'list'");
});

t.test("ids and addresses that are none are not sent", async (t) => {
  const { administration, url } = await restNode(t);
  const env = { FOLIO_SERVER: url, FOLIO_API_KEY: "admin-key" };
  for (const line of ["members add 0 a:1", "members add x a:1", "members remove 65536", "members transfer -1"]) {
    t.equal((await folio(line, env)).code, 2, line);
  }
  const address = await folio("members add 4 nowhere", env);
  t.equal(address.code, 2);
  t.match(address.stderr, /address must be host:port/);
  t.same(administration.changes, []);
});
