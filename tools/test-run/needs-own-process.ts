// Which test files run in a process of their own. All others share one with their neighbours, because most of the time of a short test
// file goes into starting Node and loading the sources.

/** The comment of a file that requests its own process, with the reason. */
const askedFor = /^ *\/\/ Own process: (.+)$/m;

/** Code that measures the process, or depends on how it was started. State that a test changes and restores is not a reason. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    /\bprocess\.(?:memoryUsage|cpuUsage|resourceUsage|getActiveResourcesInfo|_getActiveHandles)\b/,
    "measures its process",
  ],
  [/["']node:(?:v8|perf_hooks|inspector|async_hooks)["']/, "watches the engine"],
  [/\bprocess\.(?:argv|execArgv|title)\b/, "reads the command line of its process"],
  [/\bprocess\.(?:exit|abort)\(/, "ends its process"],
  [/["']node:(?:worker_threads|cluster)["']/, "starts threads or processes of a cluster"],
];

/** Returns why a test file with this text needs its own process; undefined if it may share one. */
export function needsOwnProcess(source: string): string | undefined {
  return askedFor.exec(source)?.[1] ?? reasons.find(([pattern]) => pattern.test(source))?.[1];
}
