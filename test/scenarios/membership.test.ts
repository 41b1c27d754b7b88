import { story } from "./story.js";

story(
  "bug 12, a membership change before an entry of the term has committed: two first changes would be decided apart",
  `
  4 nodes and 1 learner
  1 times out
  deliver everything
  expect 1 leads term 1
  # Node 1 makes a voter of node 5 and is cut off: nobody hears of it.
  1 promotes 5
  lose everything
  expect members of 1 are 1v 2v 3v 4v 5v
  # Node 2 is elected by 3 and 4, in the old configuration. Now it wants to remove node 1.
  200 ms pass
  2 times out
  deliver 2 -> 3 4
  deliver 3 -> 2
  deliver 4 -> 2
  disk of 2 writes
  deliver 2 -> 3 4
  disk of 3 writes
  disk of 4 writes
  deliver 3 -> 2
  deliver 4 -> 2
  expect 2 leads term 2
  # Were this allowed, nodes 2 and 3 could decide it, while 1, 4 and 5 decide for the other configuration.
  2 may not remove 1: termNotOpen
  lose 2 -> 1 5
  deliver among 2 3 4
  expect commit of 2 is 2
  2 removes 1
  deliver among 2 3
  expect members of 3 are 2v 3v 4v 5l
  expect commit of 2 is 3
  lose everything
  # Node 4 does not know of the removal yet, but it has the entry that opened term 2: node 1 cannot win any more.
  run 400 ms among 1 4 5
  expect 1 is follower
  expect members of 4 are 1v 2v 3v 4v 5l
  run 400 ms
  expect members of 4 are 2v 3v 4v 5l
  expect members of 5 are 2v 3v 4v 5l
  `,
);

story(
  "bug 13, a configuration is in force as soon as it is in the log, not when it is applied",
  `
  3 nodes and 1 learner
  1 times out
  deliver everything
  1 promotes 4
  expect members of 1 are 1v 2v 3v 4v
  # Three of four voters are needed for it from now on.
  deliver among 1 2
  expect members of 2 are 1v 2v 3v 4v
  expect commit of 1 is 1
  1 times out
  deliver among 1 2 4
  expect commit of 1 is 2
  `,
);

story(
  "bug 13, a configuration that is truncated is rolled back: who was removed is a voter again",
  `
  3 nodes
  1 times out
  deliver everything
  1 removes 3
  expect members of 1 are 1v 2v
  lose everything
  # It reached nobody. Nodes 2 and 3 elect another leader, in the configuration that they know.
  200 ms pass
  2 times out
  deliver among 2 3
  expect 2 leads term 2
  lose everything
  2 times out
  deliver everything
  expect members of 1 are 1v 2v 3v
  expect log of 1 is 1 2
  # And it counts node 3 again.
  run 400 ms among 1 3
  expect members of 3 are 1v 2v 3v
  expect commit of 3 is 3
  `,
);

story(
  "a configuration that is truncated from a node that crashed is not in force when it comes back",
  `
  3 nodes
  1 times out
  deliver everything
  1 removes 3
  disk of 1 writes
  1 crashes
  lose everything
  run 400 ms among 2 3
  1 restarts
  expect members of 1 are 1v 2v
  run 200 ms
  expect members of 1 are 1v 2v 3v
  `,
);

story(
  "§4.1, one change at a time: the next one waits until this one has committed",
  `
  5 nodes
  1 times out
  deliver everything
  1 removes 5
  1 may not remove 4: changeUnderway
  1 may not add 5: changeUnderway
  deliver everything
  1 removes 4
  deliver everything
  expect members of 2 are 1v 2v 3v
  1 may not remove 4: unknownMember
  1 may not promote 2: unchanged
  2 may not remove 3: notLeader
  `,
);

story(
  "§4.1, growing from three to five and shrinking back, one at a time",
  `
  3 nodes and 2 spares
  1 times out
  deliver everything
  1 adds 4
  run 60 ms
  1 promotes 4
  run 60 ms
  1 adds 5
  run 60 ms
  1 promotes 5
  run 60 ms
  expect members of 5 are 1v 2v 3v 4v 5v
  # Two of five fail, and the others go on.
  2 crashes
  3 crashes
  1 proposes a
  run 60 ms
  expect commit of 5 is 6
  2 restarts
  3 restarts
  run 200 ms
  1 removes 3
  run 60 ms
  1 removes 2
  run 60 ms
  expect members of 4 are 1v 4v 5v
  `,
);

story(
  "no change whose voters do not answer: it would never commit, and nothing after it",
  `
  3 nodes
  1 times out
  deliver everything
  3 crashes
  run 150 ms
  expect 1 leads term 1
  1 may not remove 2: quorumAtRisk
  1 removes 3
  run 60 ms
  expect commit of 1 is 2
  expect members of 2 are 1v 2v
  `,
);

story(
  "a leader that is new counts on nobody that it has not heard yet (seed 401464)",
  `
  3 nodes
  1 times out
  deliver everything
  # Node 3 dies for good, and node 1, which is to go, hands over to node 2.
  3 crashes
  run 150 ms
  1 hands over to 2
  deliver everything
  expect 2 leads term 2
  # That was no election timeout ago; but what node 2 and a dead node decide together is never decided.
  2 may not remove 1: quorumAtRisk
  run 60 ms
  2 may not remove 1: quorumAtRisk
  `,
);

story(
  "a change while leadership is being handed over is refused",
  `
  3 nodes
  1 times out
  deliver everything
  1 hands over to 2
  1 may not remove 3: transferring
  deliver everything
  expect 2 leads term 2
  `,
);

story(
  "§4.2.1, catching up: a newcomer waits for its joining to commit, fetches a snapshot, and is promoted when it holds the log",
  `
  3 nodes and 1 spare
  1 times out
  deliver everything
  1 proposes a
  deliver everything
  1 adds 4
  # What has not committed is in no snapshot yet.
  expect 1 replicates to 2 3 4
  expect 1 -> 4: nothing
  deliver among 1 2 3
  expect 1 -> 4: fetch a snapshot to at least 3/1
  1 may not promote 4: notCaughtUp
  deliver 1 -> 4
  expect 4 wants a snapshot from 1 to 3
  # It holds its term, and fetches; that it does is no progress, but contact.
  disk of 4 writes
  deliver 4 -> 1
  expect 1 serves 4 by snapshot
  4 begins to fetch
  1 proposes b
  deliver among 1 2 3
  4 installs
  disk of 4 writes
  expect log of 4 is [3/1]
  expect 4 has applied 3
  expect 4 -> 1: match 3
  deliver among 1 4
  expect 1 serves 4 by replicate
  expect 1 knows 4 at 4
  1 promotes 4
  deliver everything
  expect members of 4 are 1v 2v 3v 4v
  `,
);

story(
  "§4.2.1, a learner that answers no more is not made a voter, whatever it holds",
  `
  3 nodes and 1 learner
  1 times out
  deliver everything
  expect 1 knows 4 at 1
  4 crashes
  run 150 ms
  1 may not promote 4: notCaughtUp
  `,
);

story(
  "learners neither stand nor decide, and no leadership is handed to them",
  `
  3 nodes and 1 learner
  1 times out
  deliver everything
  1 may not hand over to 4
  1 proposes a
  deliver among 1 4
  expect 1 knows 4 at 2
  expect commit of 1 is 1
  # Its leader hears no majority, the learner hears no leader: neither stands.
  lose everything
  run 500 ms among 1 4
  expect 4 is follower
  expect term of 4 is 1
  expect nobody leads
  `,
);

story(
  "§4.2.2, a learner votes when a candidate asks: the candidate may know of its promotion already",
  `
  2 nodes and 1 learner
  1 times out
  deliver everything
  1 promotes 3
  # Node 2 gets the entry, the learner does not; and node 1 is gone.
  deliver 1 -> 2
  disk of 2 writes
  1 crashes
  lose everything
  300 ms pass
  2 times out
  deliver among 2 3
  # Two of three, with the vote of one that thinks of itself as a learner.
  expect 2 leads term 2
  expect members of 3 are 1v 2v 3v
  `,
);
