import { story } from "./story.js";

story(
  "Figure 7: a new leader brings six divergent logs to its own",
  `
  7 nodes
  # The leader of term 8, at the top of the figure.
  disk of 1: 1 1 1 4 4 5 5 6 6 6, term 7
  # (a) and (b) lack entries.
  disk of 2: 1 1 1 4 4 5 5 6 6, term 7
  disk of 3: 1 1 1 4, term 7
  # (c) and (d) have more than the leader.
  disk of 4: 1 1 1 4 4 5 5 6 6 6 6, term 7
  disk of 5: 1 1 1 4 4 5 5 6 6 6 7 7, term 7
  # (e) and (f) have both: entries missing, and others that never committed.
  disk of 6: 1 1 1 4 4 4 4, term 7
  disk of 7: 1 1 1 2 2 2 3 3 3 3 3, term 7
  1 times out
  deliver everything
  # (c) and (d) refused their vote, the others are a majority.
  expect 1 leads term 8
  expect log of 1 is 1 1 1 4 4 5 5 6 6 6 8
  expect disk of 2 is 1 1 1 4 4 5 5 6 6 6 8
  expect disk of 3 is 1 1 1 4 4 5 5 6 6 6 8
  expect disk of 4 is 1 1 1 4 4 5 5 6 6 6 8
  expect disk of 5 is 1 1 1 4 4 5 5 6 6 6 8
  expect disk of 6 is 1 1 1 4 4 5 5 6 6 6 8
  expect disk of 7 is 1 1 1 4 4 5 5 6 6 6 8
  expect commit of 1 is 11
  expect commit of 7 is 11
  `,
);

story(
  "Figure 7, follower (f): one step back passes over a whole term",
  `
  2 nodes
  disk of 1: 1 1 1 4 4 5 5 6 6 6, term 7
  disk of 2: 1 1 1 2 2 2 3 3 3 3 3, term 7
  1 times out
  deliver 1 -> 2
  deliver 2 -> 1
  disk of 1 writes
  deliver 1 -> 2
  disk of 2 writes
  deliver 2 -> 1
  expect 1 leads term 8
  expect 1 -> 2: append nothing after 10/6, commit 0
  deliver 1 -> 2
  # At 10 the follower has term 3, less than 6: its hint is its own entry 10.
  expect 2 -> 1: conflict at 10, hint 10/3
  deliver 2 -> 1
  # The leader has nothing of term 3: the newest entry of at most term 3 is entry 3.
  expect 1 -> 2: append nothing after 3/1, commit 0
  deliver 1 -> 2
  expect 2 -> 1: match 3
  deliver everything
  expect disk of 2 is 1 1 1 4 4 5 5 6 6 6 8
  `,
);

story(
  "Figure 8: an entry of an earlier term is not committed by counting its copies (classic bug 1)",
  `
  5 nodes
  requests carry 1 entry
  # (a) S1 led term 2 and replicated entry 2 to S2 only. (b) S5 led term 3 by the votes of S3 and S4.
  disk of 1: 1 2, term 3
  disk of 2: 1 2, term 3
  disk of 3: 1, term 3, vote for 5
  disk of 4: 1, term 3, vote for 5
  disk of 5: 1 3, term 3, vote for 5
  # (c) S1 wins term 4 by the votes of S2 and S3.
  1 times out
  deliver 1 -> 2 3
  deliver 2 -> 1
  deliver 3 -> 1
  disk of 1 writes
  deliver 1 -> 2 3
  disk of 2 writes
  disk of 3 writes
  deliver 2 -> 1
  deliver 3 -> 1
  expect 1 leads term 4
  # S2 agrees up to entry 2.
  deliver one 1 -> 2
  expect 2 -> 1: match 2
  deliver 2 -> 1
  # S3 has to be led back to entry 1, then gets entry 2; the entry of term 4 behind it is lost.
  deliver one 1 -> 3
  deliver 3 -> 1
  deliver one 1 -> 3
  expect 3 -> 1: match 1
  deliver 3 -> 1
  expect 1 -> 3: append 2/2 after 1/1, commit 0 | append 3/4 after 2/2, commit 0
  deliver one 1 -> 3
  disk of 3 writes
  deliver 3 -> 1
  expect 1 knows 3 at 2
  # Entry 2 is on three of five disks, and yet not committed.
  expect disk of 1 is 1 2
  expect disk of 2 is 1 2
  expect disk of 3 is 1 2
  expect commit of 1 is 0
  # (d) S1 crashes. S5 can be elected by S3 and S4, and overwrites entry 2: nobody had been told of it.
  1 crashes
  lose everything
  200 ms pass
  5 times out
  deliver among 3 4 5
  5 times out
  deliver among 3 4 5
  expect 5 leads term 5
  expect disk of 3 is 1 3 5
  expect commit of 5 is 3
  `,
);

story(
  "Figure 8, (e): once an entry of its own term is on a majority, all before it is committed for good",
  `
  5 nodes
  disk of 1: 1 2, term 3
  disk of 2: 1 2, term 3
  disk of 3: 1, term 3, vote for 5
  disk of 4: 1, term 3, vote for 5
  disk of 5: 1 3, term 3, vote for 5
  1 times out
  deliver among 1 2 3
  expect 1 leads term 4
  expect disk of 3 is 1 2 4
  expect commit of 1 is 3
  # S5 may stand as often as it likes: S2 and S3 have a newer last term, S4 alone is no majority.
  1 crashes
  200 ms pass
  5 times out
  deliver among 2 3 4 5
  5 times out
  deliver among 2 3 4 5
  expect nobody leads
  run 600 ms among 2 3 4 5
  expect disk of 5 is 1 2 4 5
  `,
);
