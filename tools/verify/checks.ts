// The checks that take too long for CI. CONTRIBUTING.md lists them next to the checks of CI.

export interface Check {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Approximate minutes on two cores. */
  readonly minutes: number;
  /** Finds the result in the output: every match, or its group. Default: the last line. */
  readonly figure?: RegExp;
}

const npmRun = (script: string, ...args: string[]): Check["command"] => [
  "npm",
  "run",
  "--silent",
  script,
  "--",
  ...args,
];

/** The cases of `npm run bench` whose name contains one of the words, with the settings of the published tables. The figure is Tercel's in the case `shown`. */
function benchCheck(name: string, minutes: number, shown: string, ...words: readonly string[]): Check {
  return {
    name,
    command: npmRun("bench", ...words, "--rounds", "3", "--seconds", "1.5"),
    minutes,
    figure: new RegExp(`^${shown} .*\\n\\s+(tercel.*)$`, "gm"),
  };
}

/** Proofs of WimGuard. The figure is the last line of each. */
function wimguardCheck(name: string, minutes: number, ...proofs: readonly string[]): Check {
  const command = npmRun("soak", "wimguard", ...proofs, "--fresh");
  return { name: `wimguard-${name}`, command, minutes, figure: /^[\w-]+: \d+ of \d+ .*, seeds .*$/gm };
}

export const checks: readonly Check[] = [
  {
    name: "oldest-node",
    command: ["npx", "--yes", "node@22.18", "tools/test-run/run-tests.ts", "packages/"],
    minutes: 10,
    figure: /^ℹ pass \d+$/gm,
  },
  { name: "h2spec", command: npmRun("conformance", "h2spec"), minutes: 2, figure: /: (\d+ of \d+)$/gm },
  {
    name: "h2spec-client",
    command: npmRun("conformance", "h2spec-client"),
    minutes: 3,
    figure: /^\d+ tests, \d+ passed/gm,
  },
  {
    name: "connect-server",
    command: npmRun("conformance", "connect-server"),
    minutes: 2,
    figure: /^.*\d+ passed.*$/gm,
  },
  {
    name: "connect-client",
    command: npmRun("conformance", "connect-client"),
    minutes: 2,
    figure: /^.*\d+ passed.*$/gm,
  },
  ...["grpc-js", "grpc-go", "python", "java", "c++"].map((peer) => ({
    name: `interop-${peer}`,
    command: npmRun("conformance", `interop:${peer}`, "--soak-iterations=10000"),
    minutes: 12,
    figure: /^interop: (\d+ passed, \d+ failed, \d+ not in the peer)/gm,
  })),
  {
    name: "protobuf",
    command: npmRun("conformance", "protobuf"),
    minutes: 3,
    figure: /binary and JSON: .*?(\d+ successes, .* unexpected failures)/g,
  },
  { name: "hpack", command: npmRun("conformance", "hpack"), minutes: 1, figure: /^.*\d+ lists each way$/gm },
  { name: "projects", command: npmRun("try:projects"), minutes: 12 },
  { name: "fuzz", command: npmRun("fuzz", "--seconds", "60"), minutes: 10 },
  { name: "rolling-restart", command: npmRun("soak", "rolling-restart"), minutes: 2 },
  { name: "aborted-connections", command: npmRun("soak", "aborted-connections"), minutes: 5 },
  { name: "mixed", command: npmRun("soak", "mixed"), minutes: 31 },
  { name: "overload", command: npmRun("soak", "overload"), minutes: 2 },
  wimguardCheck("trees", 70, "trees-tar", "trees-wim", "trees-restic"),
  wimguardCheck("crashes", 10, "crash-points", "crash-points-append", "crash-points-restore", "faults"),
  wimguardCheck("kills", 30, "kills", "cancels-tar", "cancels-wim", "races"),
  wimguardCheck("damage", 10, "flips-tar", "flips-wim", "fillings", "hostile-archives", "swaps"),
  wimguardCheck("schedules", 20, "clock", "retention"),
  { name: "wimguard-steady", command: npmRun("soak", "wimguard", "steady"), minutes: 121 },
  {
    name: "chaos",
    command: ["npm", "test", "--", "test/chaos/chaos"],
    env: { TERCEL_CHAOS_SECONDS: "240" },
    minutes: 5,
    figure: /seed \d+: \d+ calls \([^)]*\)/g,
  },
  benchCheck("bench-unary", 12, "server/unary/10x10", "server/unary/"),
  benchCheck("bench-streams", 14, "server/stream", "server/stream", "server/stream/", "tls/server/stream"),
  benchCheck(
    "bench-other",
    17,
    "server/list",
    "server/client-stream",
    "server/list",
    "server/timer",
    "server/large",
    "large-cold",
    "tls/server/large",
  ),
  benchCheck("bench-clients", 12, "client/unary/100", "client/unary/", "pair/"),
  benchCheck("bench-client-streams", 14, "client/stream", "client/stream", "client/stream/", "tls/client/stream"),
  benchCheck("bench-processes", 16, "memory/after-start", "memory/", "start/", "latency/"),
  benchCheck("bench-alone", 12, "pick/round_robin/1000", "pick/", "link/"),
  {
    name: "bench-gate",
    command: npmRun("bench", "--compare", "verification/bench/published.json", "--peers", "grpc-go", "--seconds", "2"),
    minutes: 13,
    figure: /^.* (?:LOST|NOT COMPARED:.*)$|^.*a loss over 5 % fails/gm,
  },
  { name: "bench-channel", command: npmRun("bench", "channel"), minutes: 3 },
  {
    name: "bench-interceptors",
    command: npmRun("bench", "interceptors"),
    minutes: 6,
    figure: /^server\/unary[\s\S]*?^\s+(all .*)$/gm,
  },
  { name: "bench-import", command: npmRun("bench", "import"), minutes: 1, figure: /^tercel .*\n.*$/gm },
  { name: "bench-kit", command: npmRun("bench", "kit"), minutes: 9, figure: /^ {2}(?:generated: serves|kit ).*$/gm },
  { name: "bench-wimguard", command: npmRun("bench", "wimguard"), minutes: 30, figure: /^(?:met|MISSED) .*$/gm },
  { name: "bench-loop-delay", command: npmRun("bench:loop-delay"), minutes: 2 },
  { name: "bench-cli", command: npmRun("bench:cli"), minutes: 2, figure: /^(?:tercel --version|wimguard list): .*$/gm },
  { name: "bench-rate", command: npmRun("bench:rate"), minutes: 1 },
  { name: "bench-attacks", command: npmRun("bench:attacks"), minutes: 6 },
];
