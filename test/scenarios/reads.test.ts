import { story } from "./story.js";

story(
  "bug 11, a read before the term's first entry has committed: the new leader may not know what is",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  # Entry 2 is committed, but only node 1 knows.
  deliver 1 -> 2
  disk of 1 writes
  disk of 2 writes
  deliver 2 -> 1
  expect commit of 1 is 2
  1 crashes
  lose everything
  200 ms pass
  2 times out
  deliver 2 -> 3
  deliver 3 -> 2
  disk of 2 writes
  deliver 2 -> 3
  disk of 3 writes
  deliver 3 -> 2
  expect 2 leads term 2
  expect commit of 2 is 1
  # Reading at its commit index now would miss entry 2.
  2 reads early
  expect read early is waiting
  deliver among 2 3
  expect read early is ready at 3
  `,
);

story(
  "bug 11, a paused and deposed leader does not answer",
  `
  3 nodes
  1 times out
  deliver everything
  lose everything
  # Node 1 stands still; node 2 leads term 2 and commits there.
  200 ms pass
  2 times out
  deliver among 2 3
  2 proposes a
  deliver among 2 3
  expect commit of 2 is 3
  lose everything
  # It goes on, and believes to lead still. A read waits for a majority, which has moved on.
  1 reads stale
  expect 1 is leader
  expect read stale is waiting
  deliver everything
  expect read stale is refused
  expect 1 is follower
  `,
);

story(
  "bug 11, answers to rounds that began before the read do not count",
  `
  3 nodes
  1 times out
  deliver everything
  1 times out
  deliver 1 -> 2 3
  keep 2 -> 1 as older
  lose everything
  1 reads r
  deliver older
  expect read r is waiting
  deliver among 1 3
  expect read r is ready at 1
  `,
);

story(
  "bug 11, a refusal of an old term's request answers no round of a later term of the same leader",
  `
  3 nodes
  1 times out
  deliver everything
  # Rounds of term 1 go up by reading; the last request to node 2 is delayed.
  1 reads a
  deliver everything
  1 reads b
  deliver everything
  1 times out
  keep 1 -> 2 as delayed
  lose everything
  # Node 2 comes to term 2 as a candidate; its requests for votes are lost.
  200 ms pass
  2 looks at the clock
  deliver 2 -> 3
  deliver 3 -> 2
  disk of 2 writes
  lose everything
  expect term of 2 is 2
  # The delayed request is refused, in term 2. The refusal is delayed in its turn.
  deliver delayed
  expect 2 -> 1: conflict at 1, hint 0/0
  keep 2 -> 1 as refusal
  # Node 1 steps down, stands again, and leads term 2 by the vote of node 3.
  1 looks at the clock
  expect 1 is follower
  1 times out
  deliver among 1 3
  expect 1 leads term 2
  # The refusal proves nothing about node 2 today.
  deliver refusal
  1 reads c
  1 reads d
  expect read c is waiting
  deliver among 1 3
  expect read c is ready at 2
  `,
);

story(
  "a round whose messages are lost begins again with the next heartbeat",
  `
  3 nodes
  1 times out
  deliver everything
  1 reads r
  lose everything
  expect read r is waiting
  1 times out
  deliver everything
  expect read r is ready at 1
  `,
);
