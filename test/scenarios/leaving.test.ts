import { story } from "./story.js";

story(
  "§4.2.2, the leader removes itself: it does not count itself, leads until that has committed, and hands over",
  `
  3 nodes
  1 times out
  deliver everything
  1 removes 1
  expect members of 1 are 2v 3v
  expect 1 is leader
  disk of 1 writes
  1 proposes a
  deliver 1 -> 2
  disk of 2 writes
  deliver 2 -> 1
  # Its own copy and node 2's are no majority of two.
  expect commit of 1 is 1
  deliver 1 -> 3
  disk of 3 writes
  deliver 3 -> 1
  expect commit of 1 is 2
  # The commit is announced, then the voter that is furthest is told to stand: node 2 holds the proposal too.
  expect 1 is follower
  expect 1 -> 2: append nothing after 3/1, commit 2 | stand now
  deliver everything
  expect 2 leads term 2
  expect commit of 3 is 4
  run 300 ms
  expect 1 follows nobody
  expect term of 1 is 1
  `,
);

story(
  "§4.2.2, a removed leader of two: until its removal has committed, nobody else can be elected, so it stands",
  `
  2 nodes
  1 times out
  deliver everything
  1 removes 1
  disk of 1 writes
  1 crashes
  lose everything
  1 restarts
  expect members of 1 are 2v
  # Node 2 knows of two voters, and has less log than node 1: it can not win.
  300 ms pass
  2 times out
  deliver among 1 2
  expect nobody leads
  # Node 1 asks for the one vote that counts, which is not its own.
  1 times out
  deliver 1 -> 2
  deliver 2 -> 1
  expect 1 is candidate
  disk of 1 writes
  expect 1 is candidate
  deliver everything
  expect 2 leads term 3
  expect members of 2 are 2v
  # Now it knows, and is silent for ever.
  run 500 ms
  expect 1 is follower
  expect 2 leads term 3
  `,
);

story(
  "§4.2.3, a server that was removed without hearing of it disturbs nobody",
  `
  3 nodes
  1 times out
  deliver everything
  3 crashes
  1 removes 3
  run 400 ms among 1 2
  # It was served until two election timeouts after the commit.
  expect 1 replicates to 2
  3 restarts
  run 500 ms
  expect members of 3 are 1v 2v 3v
  expect 3 follows nobody
  expect term of 3 is 1
  expect 1 leads term 1
  `,
);

story(
  "§4.2.3, a server that is removed is told so, and never stands again",
  `
  3 nodes
  1 times out
  deliver everything
  1 removes 3
  expect 1 replicates to 2 3
  deliver everything
  # It holds the entry; that it has committed is told with one more round.
  expect commit of 3 is 2
  expect 1 replicates to 2
  run 500 ms among 3
  expect 3 is follower
  expect term of 3 is 1
  `,
);

story(
  "who was removed may come back: it fetches a snapshot, and does not go through the time without it",
  `
  3 nodes
  1 times out
  deliver everything
  1 removes 3
  deliver everything
  1 proposes a
  deliver everything
  1 adds 3
  deliver among 1 2
  expect 1 serves 3 by snapshot
  expect 1 -> 3: fetch a snapshot to at least 4/1
  deliver everything
  expect log of 3 is [4/1]
  expect members of 3 are 1v 2v 3l
  `,
);

story(
  "a seat that was given up is free for another store, and nothing that the former one said counts",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  deliver 1 -> 3
  disk of 3 writes
  keep 3 -> 1 as early
  1 removes 3
  deliver among 1 2
  run 300 ms among 1 2
  3 is wiped
  1 adds 3
  deliver among 1 2
  deliver early
  expect 1 knows 3 at 0
  deliver everything
  expect 1 knows 3 at 4
  `,
);
