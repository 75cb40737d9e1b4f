// What a test file may change in its process and has to put back, because other test files run there after it.

/** Each part by its name, as text; unequal texts say that it was changed. */
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
    // A module that cleans up when the process ends may say so when it is imported.
    if (event === "exit" || event === "beforeExit") continue;
    state.set(`listeners of process event ${String(event)}`, String(process.listenerCount(event)));
  }
  return state;
}

/** The parts that differ, each with what it was and what it is. */
export function changesBetween(before: ProcessState, now: ProcessState): string[] {
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name) ?? "absent", now.get(name) ?? "absent"];
    return was === is ? [] : [`${name} was ${was} and is ${is}`];
  });
}
