// The checks that take too long for CI. CONTRIBUTING.md lists them next to those of CI.

export interface Check {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Minutes on two cores, about. */
  readonly minutes: number;
  /** Finds in the output what was measured: every match, or its group. Default: the last line. */
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

const otherBenchWords = ["pick/", "link/", "latency/", "memory/"];

/** The cases of `npm run bench` whose name contains one of the words, as they are published. */
function benchCheck(name: string, minutes: number, figure: RegExp, ...words: readonly string[]): Check {
  return { name, command: npmRun("bench", ...words, "--rounds", "5", "--seconds", "5"), minutes, figure };
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
  { name: "protobuf", command: npmRun("conformance", "protobuf"), minutes: 10, figure: /binary and JSON: .*$/gm },
  { name: "hpack", command: npmRun("conformance", "hpack"), minutes: 1, figure: /^.*\d+ lists each way$/gm },
  { name: "projects", command: npmRun("try:projects"), minutes: 12 },
  { name: "fuzz", command: npmRun("fuzz", "--seconds", "60"), minutes: 10 },
  { name: "rolling-restart", command: npmRun("soak", "rolling-restart"), minutes: 2 },
  { name: "aborted-connections", command: npmRun("soak", "aborted-connections"), minutes: 5 },
  { name: "mixed", command: npmRun("soak", "mixed"), minutes: 31 },
  { name: "overload", command: npmRun("soak", "overload"), minutes: 2 },
  {
    name: "chaos",
    command: ["npm", "test", "--", "test/chaos/chaos"],
    env: { TERCEL_CHAOS_SECONDS: "240" },
    minutes: 5,
    figure: /seed \d+: \d+ calls \([^)]*\)/g,
  },
  benchCheck("bench-server", 20, /^server\/unary\/10x10.*\n\s+(tercel.*)$/gm, "server/"),
  benchCheck("bench-client", 15, /^client\/unary\/100.*\n\s+(tercel.*)$/gm, "client/"),
  benchCheck("bench-other", 25, /^(?:latency\/unary|memory\/open-stream).*\n\s+(tercel.*)$/gm, ...otherBenchWords),
  { name: "bench-channel", command: npmRun("bench", "channel"), minutes: 3 },
  {
    name: "bench-interceptors",
    command: npmRun("bench", "interceptors"),
    minutes: 6,
    figure: /^server\/unary[\s\S]*?^\s+(all .*)$/gm,
  },
  { name: "bench-import", command: npmRun("bench", "import"), minutes: 1, figure: /^tercel .*\n.*$/gm },
  { name: "bench-loop-delay", command: npmRun("bench:loop-delay"), minutes: 2 },
  { name: "bench-cli", command: npmRun("bench:cli"), minutes: 2, figure: /^tercel --version: .*$/gm },
  { name: "bench-rate", command: npmRun("bench:rate"), minutes: 1 },
  { name: "bench-attacks", command: npmRun("bench:attacks"), minutes: 6 },
];
