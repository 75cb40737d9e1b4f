/** Returns the export conditions of this process, which also apply to programs that it starts or bundles. */
export function ownConditions(nodeArgs: readonly string[] = process.execArgv): readonly string[] {
  return nodeArgs.flatMap((arg, at) => {
    if (arg === "--conditions" || arg === "-C") return nodeArgs[at + 1] ?? [];
    return /^(?:--conditions=|-C=?)(.+)$/.exec(arg)?.[1] ?? [];
  });
}
