import { story } from "./story.js";

/** Node 3 led term 1 for a while, alone; then the others went on without it, and cut their logs. */
const DIVERGENT = `
  3 nodes
  disk of 1: 1 2 2 2
  disk of 2: 1 2 2 2
  disk of 3: 1 1 1 1 1 1, term 2
  1 times out
  deliver among 1 2
  expect 1 leads term 3
  1 compacts to 4
  lose everything
  1 times out
  deliver 1 -> 3
  disk of 3 writes
  # The logs agree at entry 1, which the leader does not have any more.
  expect 3 -> 1: conflict at 4, hint 4/1
  deliver 3 -> 1
  expect 1 serves 3 by snapshot
  expect 1 -> 3: fetch a snapshot to at least 4/2
  deliver 1 -> 3
  expect 3 -> 1: installing
  expect 3 wants a snapshot from 1 to 4
`;

story(
  "bug 14, a snapshot over a divergent longer log leaves nothing of it",
  `
  ${DIVERGENT}
  3 begins to fetch
  3 installs
  expect log of 3 is [5/3]
  expect commit of 3 is 5
  # On disk it is as before, so nothing is promised and nothing applied.
  expect disk of 3 is 1 1 1 1 1 1
  expect durable of 3 is 0
  expect 3 may apply up to 0
  deliver 3 -> 1
  expect 3 -> 1: nothing
  disk of 3 writes
  expect disk of 3 is [5/3]
  expect 3 has applied 5
  expect 3 -> 1: match 5
  deliver 3 -> 1
  expect 1 serves 3 by replicate
  1 proposes a
  deliver everything
  expect log of 3 is [5/3] 3
  expect 1 knows 3 at 6
  `,
);

story(
  "a crash before an installed snapshot is on disk leaves the old log, and after it the new one: never a mixture",
  `
  ${DIVERGENT}
  3 begins to fetch
  3 installs
  3 crashes
  3 restarts
  expect log of 3 is 1 1 1 1 1 1
  expect 3 has applied 0
  # What was built is gone with the crash: it is fetched again.
  lose everything
  1 times out
  deliver 1 -> 3
  expect 3 wants a snapshot from 1 to 4
  3 begins to fetch
  3 installs
  3 crashes, its write done
  3 restarts
  expect log of 3 is [5/3]
  expect 3 has applied 5
  1 proposes a
  1 times out
  deliver everything
  expect log of 3 is [5/3] 3
  `,
);

story(
  "the leader's heartbeats are answered while an installed snapshot waits for the disk, with what is on it",
  `
  ${DIVERGENT}
  3 begins to fetch
  3 installs
  deliver 3 -> 1
  1 times out
  expect 1 -> 3: fetch a snapshot to at least 4/2
  deliver 1 -> 3
  expect 3 wants no snapshot
  expect 3 -> 1: match 0
  deliver 3 -> 1
  expect 1 knows 3 at 0
  expect 1 serves 3 by snapshot
  disk of 3 writes
  deliver everything
  expect 1 knows 3 at 5
  `,
);

story(
  "bug 9, a write that was in flight when a snapshot replaced its entries earns nothing",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  deliver 1 -> 3
  # Entry 2 is on its way to the disk of node 3. Entry 3 gets lost, so entry 4 is refused.
  1 proposes b
  lose 1 -> 3
  deliver among 1 2
  1 proposes c
  deliver 1 -> 3
  expect 3 -> 1: conflict at 3, hint 2/1 | conflict at 3, hint 2/1 | conflict at 3, hint 2/1
  deliver among 1 2
  1 compacts to 4
  deliver 3 -> 1
  deliver 1 -> 3
  3 begins to fetch
  3 installs
  expect log of 3 is [4/1]
  disk of 3 writes
  expect disk of 3 is 1 1
  # Entry 2 is on disk now, but it is no part of this log any more.
  expect durable of 3 is 1
  expect 3 -> 1: conflict at 4, hint 2/1 | installing | match 2
  disk of 3 writes
  expect disk of 3 is [4/1]
  expect durable of 3 is 4
  deliver everything
  expect 1 knows 3 at 4
  `,
);

story(
  "a vote that is granted while a snapshot waits for the disk waits for the same write",
  `
  ${DIVERGENT}
  3 begins to fetch
  disk of 3 is stuck
  3 installs
  lose everything
  300 ms pass
  2 times out
  deliver among 1 2
  deliver 2 -> 3
  deliver 3 -> 2
  expect 3 -> 2: nothing
  3 crashes
  expect disk of 3 is 1 1 1 1 1 1
  3 restarts
  expect 3 voted for nobody
  `,
);

story(
  "a snapshot that comes late changes nothing: the log came from somebody else meanwhile",
  `
  ${DIVERGENT}
  3 begins to fetch
  # Node 2, which has cut nothing, leads now.
  1 crashes
  lose everything
  300 ms pass
  2 times out
  deliver among 2 3
  expect 2 leads term 4
  expect log of 3 is 1 2 2 2 3 4
  expect commit of 3 is 6
  3 installs in vain
  expect log of 3 is 1 2 2 2 3 4
  expect commit of 3 is 6
  `,
);

story(
  "who fell behind the log while it was away is given a snapshot, and then entries again",
  `
  3 nodes
  1 times out
  deliver everything
  3 crashes
  1 proposes a
  1 proposes b
  deliver among 1 2
  1 proposes c
  deliver among 1 2
  lose everything
  1 compacts to 3
  expect log of 1 is [3/1] 1
  3 restarts
  run 60 ms
  expect log of 3 is [4/1]
  expect 1 serves 3 by replicate
  1 proposes d
  run 60 ms
  expect commit of 3 is 5
  `,
);

story(
  "who holds what it is told to fetch says so, and fetches nothing",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  deliver 1 -> 2 3
  disk of 3 writes
  # The acknowledgement of node 3 is lost. The others commit, and cut their logs.
  lose 3 -> 1
  disk of 2 writes
  deliver among 1 2
  expect 1 knows 3 at 1
  lose everything
  1 compacts to 2
  1 proposes b
  1 proposes c
  # A gap, so node 3 refuses, and its place is looked for.
  lose 1 -> 3
  1 times out
  deliver 1 -> 3
  deliver 3 -> 1
  deliver 1 -> 3
  expect 3 wants no snapshot
  deliver everything
  expect log of 3 is 1 1 1 1
  `,
);

story(
  "a log that is cut keeps a tail: who is a little behind needs no snapshot",
  `
  3 nodes
  1 times out
  deliver everything
  3 crashes
  1 proposes a
  deliver among 1 2
  1 proposes b
  deliver among 1 2
  1 compacts to 1
  expect log of 1 is [1/1] 1 1
  3 restarts
  run 60 ms
  expect 3 wants no snapshot
  expect log of 3 is 1 1 1
  `,
);

story(
  "a follower cuts its log as it likes: what its leader sends from before that is known to agree",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  keep 1 -> 2 as early
  deliver early
  deliver everything
  1 times out
  deliver everything
  2 compacts to 2
  expect log of 2 is [2/1]
  deliver early
  expect 2 -> 1: match 2
  deliver everything
  expect disk of 2 is [2/1]
  2 crashes
  2 restarts
  expect log of 2 is [2/1]
  expect commit of 2 is 2
  `,
);
