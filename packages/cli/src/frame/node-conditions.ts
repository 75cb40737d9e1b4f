/** The conditions of package exports that this process was started with: programs that it starts or bundles are found by the same. */
export function ownConditions(nodeArgs: readonly string[] = process.execArgv): readonly string[] {
  return nodeArgs.flatMap((arg, at) => {
    if (arg === "--conditions" || arg === "-C") return nodeArgs[at + 1] ?? [];
    return /^(?:--conditions=|-C=?)(.+)$/.exec(arg)?.[1] ?? [];
  });
}
