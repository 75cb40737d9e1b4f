// The state of a process that a test file must restore, because other test files run there after it.

/** The parts by name, as text for comparison. */
export type ProcessState = ReadonlyMap<string, string>;

export function readProcessState(): ProcessState {
  const state = new Map<string, string>([
    ["working directory", process.cwd()],
    ["umask", String(process.umask())],
    ["exit code", String(process.exitCode ?? 0)],
  ]);
  for (const [name, value] of Object.entries(process.env)) state.set(`environment variable ${name}`, String(value));
  for (const name of Object.getOwnPropertyNames(globalThis)) state.set(`global ${name}`, "defined");
  for (const event of process.eventNames()) {
    // A module may add a listener for its clean-up when it is imported.
    if (event === "exit" || event === "beforeExit") continue;
    state.set(`listeners of process event ${String(event)}`, String(process.listenerCount(event)));
  }
  return state;
}

/** Returns the parts that differ, with the old and the new value. */
export function changesBetween(before: ProcessState, now: ProcessState): string[] {
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name) ?? "absent", now.get(name) ?? "absent"];
    return was === is ? [] : [`${name} was ${was} and is ${is}`];
  });
}
