import { CLUSTER_MUTANTS } from "./cluster-mutants.js";
import { CORE_MUTANTS } from "./core-mutants.js";
import { HOST_MUTANTS } from "./host-mutants.js";
import type { Mutant } from "./mutant.js";

export const MUTANTS: readonly Mutant[] = [...CORE_MUTANTS, ...HOST_MUTANTS, ...CLUSTER_MUTANTS];
