// Who may import whom: the walls of the house. `.ci/checks/imports.mjs` runs this and asserts that it looked
// at the modules and that it catches a violation.

/** `folder` may import only what matches one of `allowed`: files, packages and Node's built-ins alike. */
function only(name, folder, allowed, comment, except) {
  return {
    name,
    comment,
    severity: "error",
    from: { path: folder, ...(except === undefined ? {} : { pathNot: except }) },
    to: { path: ".+", pathNot: allowed },
  };
}

/** Adapters do I/O and wait: that is what they are for. */
const builtIns = "^[a-z_:/0-9]+$";
/** Built-ins that do no I/O and know no time. */
const pureBuiltIns = "^(node:)?(crypto|buffer|util|assert|events)$";
const wire = "^node_modules/@bufbuild/protobuf/";
const raftTypes = "^src/raft/";
/** How a configuration is written: the same in the log, in the state and between peers. */
const configurationRecord = "^src/configuration-record\\.ts$";
const logStorePort = "^src/storage/log-store\\.ts$";
const stateStorePort = "^src/storage/state-store\\.ts$";
/** What a snapshot looks like on its way: pure. */
const snapshotFormat = "^src/storage/snapshot-(stream|header|damaged)\\.ts$";

module.exports = {
  forbidden: [
    only(
      "raft-is-pure",
      "^src/raft/",
      ["^src/raft/", "^src/assert\\.ts$"],
      "The core imports nothing but itself and the assertions.",
    ),
    only(
      "sequence-is-pure",
      "^src/sequence/",
      ["^src/sequence/(?!machine/)", "^src/assert\\.ts$"],
      "The domain imports nothing but itself and the assertions; its adapter to the log is src/sequence/machine/.",
      "^src/sequence/machine/",
    ),
    only(
      "sequence-adapter",
      "^src/sequence/machine/",
      [
        "^src/sequence/",
        "^src/machine/",
        "^src/assert\\.ts$",
        "^src/raft/types\\.ts$",
        stateStorePort,
        "^src/generated/folio/",
        pureBuiltIns,
        wire,
      ],
      "The mountable adapter sees the domain, what a machine is, the state store's port and its own messages.",
    ),
    only(
      "machine-sees-no-adapter",
      "^src/machine/",
      [
        "^src/machine/",
        "^src/assert\\.ts$",
        configurationRecord,
        "^src/raft/types\\.ts$",
        logStorePort,
        stateStorePort,
        "^src/generated/folio/",
        pureBuiltIns,
        wire,
      ],
      "Machines see ports, never an adapter.",
    ),
    only(
      "storage-sees-core-types",
      "^src/storage/",
      [
        "^src/storage/",
        "^src/assert\\.ts$",
        configurationRecord,
        "^src/raft/types\\.ts$",
        "^src/generated/folio/",
        "^node_modules/(level|classic-level|abstract-level)/",
        builtIns,
        wire,
      ],
      "Storage sees the core's types and generated code.",
    ),
    only(
      "transport-sees-core-types",
      "^src/transport/",
      [
        "^src/transport/",
        "^src/assert\\.ts$",
        configurationRecord,
        "^src/failure\\.ts$",
        "^src/raft/types\\.ts$",
        "^src/generated/folio/",
        "^node_modules/@grpc/grpc-js/",
        builtIns,
        wire,
      ],
      "Transport sees the core's types and generated code.",
    ),
    only(
      "replica-sees-ports",
      "^src/replica/",
      [
        "^src/replica/",
        raftTypes,
        "^src/machine/",
        logStorePort,
        stateStorePort,
        snapshotFormat,
        "^src/transport/transport\\.ts$",
        "^src/generated/folio/log/",
        "^src/failure\\.ts$",
        "^src/assert\\.ts$",
        "^(node:)?(crypto|buffer|util)$",
        wire,
      ],
      "The host sees the core and ports: no adapter, no timer, no socket, no file.",
    ),
    only(
      "recovery-sees-ports",
      "^src/recovery/",
      [
        "^src/recovery/",
        "^src/machine/",
        "^src/sequence/",
        "^src/assert\\.ts$",
        "^src/raft/types\\.ts$",
        logStorePort,
        stateStorePort,
        "^src/storage/snapshot-(stream|header)\\.ts$",
        "^src/generated/folio/log/",
      ],
      "The offline tools see the domain and the stores' ports: no adapter, no file, no clock.",
    ),
    {
      name: "api-sees-one-interface",
      comment: "The edges see propose, query and cluster (src/api/port.ts), the pure domain, and never Raft.",
      severity: "error",
      from: { path: "^src/api/" },
      to: {
        path: "^(src|cluster|bench|test)/",
        pathNot: [
          "^src/api/",
          "^src/sequence/(?!machine/)",
          "^src/access/",
          "^src/telemetry/",
          "^src/failure\\.ts$",
          "^src/assert\\.ts$",
          "^src/generated/sequentialid/",
        ],
      },
    },
    {
      name: "access-and-telemetry-stand-alone",
      comment:
        "Who may call and what is measured know neither the edges nor the replica; telemetry reads types of the core and of ports.",
      severity: "error",
      from: { path: "^src/(access|telemetry)/" },
      to: {
        path: "^(src|cluster|bench|test)/",
        pathNot: [
          "^src/(access|telemetry)/",
          "^src/failure\\.ts$",
          "^src/assert\\.ts$",
          "^src/raft/types\\.ts$",
          "^src/sequence/(command|definition|query|result)\\.ts$",
          "^src/(replica/ports|api/port|storage/log-store|storage/state-store|transport/transport)\\.ts$",
        ],
      },
    },
    only(
      "client-stands-alone",
      "^src/client/",
      ["^src/client/", "^src/generated/sequentialid/", "^node_modules/", builtIns],
      "Others install the client: it carries nothing of the server.",
    ),
    {
      name: "only-the-root-composes",
      comment:
        "node.ts, its parts (node-*.ts) and the command line see everything; nothing else sees node.ts, nor the configuration's loading.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/(node|config)\\.ts$", "^src/node-[a-z]+\\.ts$", "^src/cli/"] },
      to: { path: ["^src/node\\.ts$", "^src/cli/", "^src/config\\.ts$", "^cluster/", "^bench/"] },
    },
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { path: "^(src|cluster|bench)/" },
      to: { path: "^test/" },
    },
    {
      name: "cluster-is-no-benchmark",
      severity: "error",
      from: { path: "^(src|cluster)/" },
      to: { path: "^bench/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-development-dependencies-at-run-time",
      comment: "What is installed with --omit=dev must be enough to run a node or a cluster.",
      severity: "error",
      from: { path: "^(src|cluster)/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "only-declared-packages",
      severity: "error",
      from: { path: "^(src|cluster|bench|test)/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "nothing-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^dist" },
    moduleSystems: ["es6", "cjs"],
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    combinedDependencies: false,
    enhancedResolveOptions: {
      extensions: [".ts", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      mainFields: ["module", "main", "types"],
    },
  },
};
