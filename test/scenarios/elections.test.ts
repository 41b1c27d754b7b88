import { story } from "./story.js";

story(
  "bug 15, PreVote stuck on term mismatch: the one with the newer log and the older term catches up and wins",
  `
  3 nodes
  # Nodes 2 and 3 are terms ahead by elections that nobody won. Node 1 alone has entry 2.
  disk of 1: 1 1, term 1
  disk of 2: 1, term 7
  disk of 3: 1, term 7
  # Their polls are refused for their logs, its own for its term.
  2 times out
  deliver 2 -> 1
  expect 1 -> 2: poll no in term 1
  lose everything
  1 times out
  deliver 1 -> 2
  expect 2 -> 1: poll no in term 7
  # The refusal carries the term: node 1 asks again, now for term 8, as soon as it has that on its disk.
  disk of 1 is stuck
  deliver 2 -> 1
  expect term of 1 is 7
  expect 1 is follower
  disk of 1 writes
  expect 1 is preCandidate
  expect 1 -> 2: poll for term 8, log ends 2/1
  deliver everything
  expect 1 leads term 8
  expect disk of 2 is 1 1 8
  `,
);

story(
  "a poll changes nothing: a node that was cut off comes back to the same leader and the same term",
  `
  3 nodes
  1 times out
  deliver everything
  lose everything
  run 2000 ms among 1 2
  3 times out
  expect 3 is preCandidate
  expect term of 3 is 1
  run 100 ms
  expect 1 leads term 1
  expect 3 follows 1
  `,
);

story(
  "bug 16, election storm under a partial partition: in a chain of five, the middle keeps leading",
  `
  5 nodes
  connected: 1-2 2-3 3-4 4-5
  3 times out
  run 50 ms
  expect 3 leads term 1
  # Nodes 1 and 5 never hear the leader. They poll for ever; their only neighbours trust it, and
  # by refusing teach them the term.
  run 5000 ms
  expect 3 leads term 1
  expect term of 1 is 1
  expect 5 follows nobody
  `,
);

story(
  "bug 16, a leader at the end of the chain steps down, and one that reaches a majority takes over",
  `
  5 nodes
  1 times out
  deliver everything
  expect 1 leads term 1
  connected: 1-2 2-3 3-4 4-5
  run 3000 ms
  # Whoever reaches three of five keeps leading: one change of leader and no storm.
  expect 4 leads term 2
  run 5000 ms
  expect 4 leads term 2
  `,
);

story(
  "a deposed leader that hears nothing steps down by itself (CheckQuorum)",
  `
  3 nodes
  1 times out
  deliver everything
  run 500 ms among 1
  expect nobody leads
  expect 1 is preCandidate
  expect term of 1 is 1
  `,
);

story(
  "bug 20, after a stall of its own a node does not stand",
  `
  3 nodes
  1 times out
  deliver everything
  lose everything
  # Node 2 stands still for five seconds, and finds its timer long past.
  run 5000 ms among 1 3
  2 was stalled itself
  2 looks at the clock
  expect 2 is follower
  expect term of 2 is 1
  run 200 ms
  expect 1 leads term 1
  `,
);

story(
  "a candidate that hears the leader of its own term follows it",
  `
  3 nodes
  1 times out
  2 times out
  deliver 1 -> 3
  deliver 2 -> 3
  deliver 3 -> 1 2
  disk of 1 writes
  disk of 2 writes
  # Both stand in term 1; node 3 votes once.
  deliver 1 -> 3
  deliver 2 -> 3
  disk of 3 writes
  expect 3 -> 2: vote no in term 1
  deliver 3 -> 1
  expect 1 leads term 1
  expect 2 is candidate
  lose 3 -> 2
  deliver 1 -> 2
  expect 2 follows 1
  expect 2 voted for 2
  `,
);

story(
  "leadership is handed over only to a node that holds the whole log, without a poll",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  lose 1 -> 2
  deliver among 1 3
  1 hands over to 2
  1 may not propose
  expect 1 -> 2: append nothing after 2/1, commit 2
  # Node 2 lags: it is brought up to date first.
  deliver 1 -> 2
  deliver 2 -> 1
  deliver 1 -> 2
  deliver 2 -> 1
  deliver 1 -> 2
  disk of 2 writes
  expect term of 2 is 1
  deliver 2 -> 1
  expect 1 -> 2: stand now
  deliver everything
  expect 2 leads term 2
  expect 1 follows 2
  `,
);

story(
  "a transfer whose message is lost ends after an election timeout, and the leader goes on",
  `
  3 nodes
  1 times out
  deliver everything
  1 hands over to 2
  lose everything
  1 may not propose
  run 150 ms among 1 3
  expect 1 leads term 1
  1 proposes a
  deliver everything
  expect commit of 2 is 2
  `,
);

story(
  "whoever hears the leader refuses polls (§4.2.3)",
  `
  3 nodes
  1 times out
  deliver everything
  # Node 3 alone misses the leader's requests.
  run 90 ms among 1 2
  3 times out
  deliver 3 -> 2
  expect 2 -> 3: poll no in term 1
  `,
);

story(
  "a late 'stand now' makes a lagging node stand, and nobody votes for it",
  `
  3 nodes
  1 times out
  deliver everything
  1 hands over to 3
  keep 1 -> 3 as late
  # The transfer ends without it, and the leader goes on.
  run 150 ms among 1 2
  1 proposes a
  deliver among 1 2
  expect commit of 1 is 2
  lose everything
  deliver late
  expect 3 is candidate
  disk of 3 writes
  deliver 3 -> 2
  expect 2 -> 3: nothing
  disk of 2 writes
  # Its log lacks entry 2.
  expect 2 -> 3: vote no in term 2
  # One of the two with the whole log leads next; entry 2 stays.
  run 600 ms
  expect disk of 3 is 1 1 3
  `,
);
