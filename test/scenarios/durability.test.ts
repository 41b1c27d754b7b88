import { story } from "./story.js";

story(
  "bug 2, term and vote in two writes: a crash leaves both or neither",
  `
  3 nodes
  disk of 2: 1 1, term 4, vote for 3
  disk of 1: 1 1, term 4
  1 times out
  deliver among 1
  deliver 1 -> 2
  deliver 2 -> 1
  disk of 1 writes
  deliver 1 -> 2
  # The vote for node 1 in term 5 is one write in flight.
  expect term of 2 is 5
  expect disk of 2 holds term 4 and vote for 3
  2 crashes
  expect disk of 2 holds term 4 and vote for 3
  2 restarts
  # The request comes again.
  300 ms pass
  1 times out
  deliver 1 -> 2
  deliver 2 -> 1
  disk of 1 writes
  deliver 1 -> 2
  2 crashes, its write done
  expect disk of 2 holds term 6 and vote for 1
  2 restarts
  expect 2 voted for 1
  `,
);

story(
  "bug 3, vote forgotten on step-down: a leader that steps down within its term does not vote again in it",
  `
  3 nodes
  1 times out
  deliver everything
  expect 1 leads term 1
  # No majority answers any more.
  300 ms pass
  1 looks at the clock
  expect 1 is follower
  expect term of 1 is 1
  expect 1 voted for 1
  # A candidate that hears the leader of its own term follows it, and has still voted for itself.
  lose everything
  1 times out
  expect 1 is preCandidate
  expect 1 voted for 1
  `,
);

story(
  "bug 4, replying before the hard state is durable: a vote leaves when it is on disk",
  `
  3 nodes
  1 times out
  deliver 1 -> 2
  expect 2 -> 1: poll yes in term 1
  deliver 2 -> 1
  # The candidate itself asks for votes only when its own is on disk.
  expect 1 is candidate
  lose 1 -> 3
  expect 1 -> 2: nothing
  disk of 1 writes
  expect 1 -> 2: vote for term 1, log ends 0/0
  deliver 1 -> 2
  expect 2 voted for 1
  expect 2 -> 1: nothing
  disk of 2 writes
  expect 2 -> 1: vote yes in term 1
  `,
);

story(
  "bug 4, entries: an append is acknowledged when it is on disk, a heartbeat at once with what is there",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  deliver 1 -> 2
  expect log of 2 is 1 1
  expect disk of 2 is 1
  expect 2 -> 1: nothing
  # The disk of node 2 is slow. A heartbeat is answered all the same, so that it does not look dead.
  1 times out
  deliver 1 -> 2
  expect 2 -> 1: match 1
  deliver 2 -> 1
  expect 1 knows 2 at 1
  disk of 2 writes
  expect 2 -> 1: match 2
  `,
);

story(
  "bug 5, the term changes while a write is under way: its promise is not made any more",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  deliver 1 -> 2 3
  disk of 3 writes
  lose everything
  # While node 2 writes entry 2 of term 1, node 3 stands, wins the poll and asks for votes in term 2.
  200 ms pass
  3 times out
  deliver 3 -> 2
  deliver 2 -> 3
  disk of 3 writes
  deliver 3 -> 2
  expect term of 2 is 2
  # The write of term 1 ends. Its acknowledgement was for the leader of term 1: it stays unsaid.
  disk of 2 writes
  expect 2 -> 1: nothing
  expect durable of 2 is 2
  # The vote of term 2 waits for the next write.
  expect 2 -> 3: nothing
  disk of 2 writes
  expect 2 -> 3: vote yes in term 2
  `,
);

story(
  "bug 9, a completion credited after truncation: a new leader hears nothing before the older write is over",
  `
  3 nodes
  1 times out
  deliver everything
  # Node 1 writes entry 2 of term 1, which nobody else gets.
  1 proposes a
  lose everything
  expect log of 1 is 1 1
  # Node 2 is elected by node 3, and has an entry 2 of term 2.
  200 ms pass
  2 times out
  deliver among 2 3
  expect 2 leads term 2
  expect disk of 3 is 1 2
  # It reaches node 1 while that write is still in flight.
  lose 2 -> 1
  2 times out
  deliver 2 -> 1
  expect term of 1 is 2
  expect durable of 1 is 1
  # The answer promises term 2, so it waits for a write after the one in flight. As entries follow
  # only an answer, no truncation can ever meet entries of an older term on their way to the disk.
  expect 1 -> 2: nothing
  disk of 1 writes
  expect durable of 1 is 2
  expect 1 -> 2: nothing
  disk of 1 writes
  deliver among 1 2
  expect disk of 1 is 1 2
  expect durable of 1 is 2
  `,
);

story(
  "bug 9, a cut in flight when the tail is truncated earns nothing of that tail, nor of what takes its place",
  `
  3 nodes
  disk of 1: 1 1 3, term 3
  disk of 2: 1 1, term 3
  disk of 3: 1 1 2 2, term 2
  1 times out
  deliver among 1 2
  expect 1 leads term 4
  expect commit of 1 is 4
  # Node 3 hears of the commit, and not yet of what its entries 3 and 4 are to be.
  lose 1 -> 3
  1 times out
  deliver 1 -> 3
  disk of 3 writes
  deliver 3 -> 1
  deliver 1 -> 3
  expect commit of 3 is 2
  expect log of 3 is 1 1 2 2
  # It cuts its log, and while that is written, without any entry, its tail is replaced.
  3 compacts to 2
  deliver 3 -> 1
  deliver 1 -> 3
  expect log of 3 is [2/1] 3 4
  expect durable of 3 is 2
  disk of 3 writes
  expect disk of 3 is [2/1] 2 2
  # The disk holds as many entries as the log, but others.
  expect durable of 3 is 2
  disk of 3 writes
  expect disk of 3 is [2/1] 3 4
  expect durable of 3 is 4
  `,
);

story(
  "bug 10, the leader counts its own unsynced entry: alone, nothing commits before it is on disk",
  `
  1 node
  1 times out
  disk of 1 writes
  expect 1 leads term 1
  expect log of 1 is 1
  expect commit of 1 is 0
  disk of 1 writes
  expect commit of 1 is 1
  1 proposes a
  expect commit of 1 is 1
  1 crashes
  1 restarts
  # Power was lost: the entry is gone, and nobody had been told that it was there.
  expect log of 1 is 1
  `,
);

story(
  "bug 10, a leader with a slow disk: two followers are a majority without it, and apply waits for its own disk",
  `
  3 nodes
  1 times out
  deliver everything
  disk of 1 is stuck
  1 proposes a
  deliver among 1 2
  expect 1 knows 2 at 2
  expect commit of 1 is 1
  deliver among 1 3
  expect commit of 1 is 2
  expect 1 may apply up to 1
  disk of 1 writes
  expect 1 may apply up to 2
  `,
);

story(
  "a learner beside a voter that is alone: the term is on disk before the learner hears of it",
  `
  1 node and 1 learner
  1 times out
  expect 1 is candidate
  expect 1 -> 2: nothing
  1 crashes
  1 restarts
  expect term of 1 is 0
  1 times out
  disk of 1 writes
  expect 1 leads term 1
  expect 1 -> 2: append nothing after 0/0, commit 0
  deliver everything
  expect disk of 2 is 1
  `,
);
