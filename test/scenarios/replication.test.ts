import { story } from "./story.js";

story(
  "bug 6, a heartbeat's success proves no more than its own prefix: a divergent tail does not count",
  `
  3 nodes
  disk of 1: 1 2
  disk of 2: 1 2
  # Node 3 has a tail of term 1 that nobody else has.
  disk of 3: 1 1 1, term 2
  1 times out
  deliver among 1 2
  expect 1 leads term 3
  # Node 3 is reached only now, by a heartbeat.
  lose everything
  1 times out
  deliver 1 -> 3
  disk of 3 writes
  expect 3 -> 1: conflict at 2, hint 2/1
  deliver 3 -> 1
  expect 1 -> 3: append nothing after 1/1, commit 3
  deliver 1 -> 3
  # Its log has three entries; one of them is proven equal. Nor does it commit beyond that one.
  expect log of 3 is 1 1 1
  expect 3 -> 1: match 1
  expect commit of 3 is 1
  deliver 3 -> 1
  expect 1 knows 3 at 1
  deliver everything
  expect disk of 3 is 1 2 3
  `,
);

story(
  "bug 7, a stale refusal: what was refused long ago moves nothing back",
  `
  3 nodes
  disk of 1: 1 1 1
  disk of 2: 1 1 1
  disk of 3: 1
  1 times out
  deliver among 1 2
  expect 1 leads term 2
  lose everything
  1 times out
  deliver 1 -> 3
  disk of 3 writes
  expect 3 -> 1: conflict at 3, hint 1/1
  keep 3 -> 1 as refusal
  deliver refusal
  deliver everything
  expect 1 knows 3 at 4
  # The same refusal arrives again, much later.
  1 proposes a
  deliver everything
  expect 1 knows 3 at 5
  deliver refusal
  expect 1 knows 3 at 5
  expect 1 -> 3: nothing
  `,
);

story(
  "bug 7, a stale acknowledgement: it neither moves back nor ahead",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  deliver 1 -> 2
  disk of 2 writes
  keep 2 -> 1 as early
  1 proposes b
  deliver everything
  expect 1 knows 2 at 3
  deliver early
  expect 1 knows 2 at 3
  1 proposes c
  expect 1 -> 2: append 4/1 after 3/1, commit 3
  `,
);

story(
  "bug 8, a delayed append with a matching prefix does not truncate what came after it",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  keep 1 -> 2 as delayed
  deliver delayed
  1 proposes b
  1 proposes c
  deliver everything
  expect disk of 2 is 1 1 1 1
  # The first append again: its entry is there, and what follows it stays.
  deliver delayed
  expect log of 2 is 1 1 1 1
  deliver everything
  expect disk of 2 is 1 1 1 1
  expect commit of 2 is 4
  `,
);

story(
  "a lost append is found by the next heartbeat and sent again",
  `
  3 nodes
  1 times out
  deliver everything
  1 proposes a
  lose 1 -> 2
  1 proposes b
  # It overtakes the lost one: refused.
  deliver 1 -> 2
  expect 2 -> 1: conflict at 2, hint 1/1
  lose 2 -> 1
  1 times out
  deliver 1 -> 2
  deliver everything
  expect disk of 2 is 1 1 1
  `,
);

story(
  "acknowledgements are lost until the window is full: a heartbeat's answer opens it again",
  `
  3 nodes
  requests carry 1 entry
  1 times out
  deliver everything
  disk of 3 is stuck
  1 proposes a
  1 proposes b
  1 proposes c
  1 proposes d
  1 proposes e
  # Four requests are in flight, the fifth entry waits.
  deliver 1 -> 2
  disk of 2 writes
  disk of 2 writes
  expect log of 2 is 1 1 1 1 1
  lose everything
  1 times out
  deliver 1 -> 2
  expect 2 -> 1: match 5
  deliver 2 -> 1
  expect 1 -> 2: append 6/1 after 5/1, commit 1
  `,
);

story(
  "bug 13, a configuration in an entry that is truncated is rolled back",
  `
  3 nodes, not founded
  # Node 1 is elected first, and names the cluster in an entry that reaches nobody.
  1 times out
  deliver 1 -> 3
  deliver 3 -> 1
  disk of 1 writes
  deliver 1 -> 3
  disk of 3 writes
  deliver 3 -> 1
  expect 1 leads term 1
  expect cluster of 1 is founded by 1
  disk of 1 writes
  expect disk of 1 is 1
  lose everything
  # Node 2 is elected, and names it in its turn. That one commits.
  300 ms pass
  2 times out
  deliver among 2 3
  2 times out
  deliver among 2 3
  expect 2 leads term 2
  expect commit of 2 is 1
  lose everything
  2 times out
  deliver everything
  expect disk of 1 is 2
  expect cluster of 1 is founded by 2
  `,
);
