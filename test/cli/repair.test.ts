import { mkdirSync } from "node:fs";
import t from "tap";
import { type LostSeat, requireLost } from "../../src/cli/lost-seat.js";
import { rejoinSteps } from "../../src/cli/rejoin-steps.js";
import type { Member } from "../../src/raft/types.js";
import { writeClaim } from "../../src/seat-claim.js";
import { type Description, PeerCallFailure, type PeerCalls } from "../../src/transport/transport.js";
import { folio } from "./command-line.js";

const OTHER = "10.0.0.1:7070";
const voter: Member = { id: 1, kind: "voter", storeId: "s1", address: OTHER };
const lost: Member = { id: 4, kind: "voter", storeId: "s4", address: "10.0.0.4:7070" };

/** A cluster of which one member answers, and knows these. */
function callsTo(members: readonly Member[]): PeerCalls {
  const answer: Description = {
    ...{ nodeId: 1, storeId: "s1", clusterId: "c", empty: false, version: "1" },
    configuration: { clusterId: "c", members },
  };
  return {
    describe: async (address) => {
      if (address !== OTHER) throw new PeerCallFailure("unreachable", `${address} cannot be reached`);
      return answer;
    },
    changeMembers: () => Promise.reject(new Error("nobody is to be asked")),
  };
}

async function stepsOf(place: LostSeat, members: readonly Member[]): Promise<string> {
  return rejoinSteps(place, await requireLost(place, callsTo(members)));
}

t.test("a voter rejoins with JOIN, or by hand where PEERS stay in its environment", async (t) => {
  const place = { nodeId: 4, dataDir: t.testdir(), join: [OTHER] };
  const steps = await stepsOf(place, [voter, lost]);
  t.match(
    steps,
    /JOIN instead of PEERS.*as before\); it becomes a voter by itself:\n {2}NODE_ID=4 JOIN=10\.0\.0\.1:7070 DATA_DIR=/,
  );
  t.match(steps, /PEERS stay .*start it as it is.*:\n {2}folio members add 4 10\.0\.0\.4:7070 --voter/s);
  t.notMatch(steps, "VOTER=false");
});

t.test("a learner stays one", async (t) => {
  const place = { nodeId: 4, dataDir: t.testdir(), join: [OTHER] };
  const learner = { ...lost, kind: "learner" } as const;
  const steps = await stepsOf(place, [voter, learner]);
  t.match(
    steps,
    /keys and LEAVE as before\); it stays a learner:\n {2}NODE_ID=4 JOIN=10\.0\.0\.1:7070 VOTER=false DATA_DIR=/,
  );
  t.notMatch(steps, "members add");
  await writeClaim(place.dataDir, { storeId: "4".repeat(32), nodeId: 4, stage: "opened" });
  const assigned = await stepsOf(place, [voter, learner]);
  t.match(
    assigned,
    /it stays a learner, under an id that the cluster assigns:\n {2}NODE_ID=auto JOIN=.* VOTER=false DATA_DIR=/,
  );
});

t.test("where the seat is free already nobody knows what it was, and that is said", async (t) => {
  const place = { nodeId: 4, dataDir: t.testdir(), join: [OTHER] };
  mkdirSync(`${place.dataDir}/set-aside-earlier`);
  const steps = await stepsOf(place, [voter]);
  t.match(
    steps,
    "it becomes a voter by itself (with VOTER=false, if it was a learner, it stays one):\n  NODE_ID=4 JOIN=",
  );
  t.match(steps, "folio members add 4 HOST:PEER_PORT --voter");
});

t.test("without anybody who answers nothing is changed, and the ways out without a majority are named", async (t) => {
  const place = ["--data-dir", t.testdir(), "--node-id", "4", "--join", "127.0.0.1:1"];
  const { code, stderr } = await folio(["repair", "--rejoin", ...place]);
  t.equal(code, 6);
  t.match(stderr, /nothing was changed: no member was found .*majority.*folio recover --new-cluster.*folio restore/);
});
