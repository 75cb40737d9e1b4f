import { describeError } from "../log/json-log.ts";

/** What to say when a service cannot listen, with what the person who started it can do about it. */
export function explainStartFailure(error: unknown, host: string, port: number, waysToSetPort: string): string {
  switch (systemCodeOf(error)) {
    case "EADDRINUSE":
      return `port ${port} on ${host} is taken; choose another with ${waysToSetPort} (0 picks a free one)`;
    case "EACCES":
      return `port ${port} on ${host} may not be used by this user; choose one above 1023 with ${waysToSetPort}`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `this machine has no interface ${host}; choose another with --host or SHOP_HOST`;
    default:
      return error instanceof Error ? error.message : describeError(error);
  }
}

/** What listening asks of the operating system; the same codes come from files, where they mean something else. */
const listeningCalls: readonly unknown[] = ["listen", "bind", "getaddrinfo"];

/** The operating system's code of an error of listening, looked for in its causes too. */
function systemCodeOf(error: unknown): string | undefined {
  let current = error;
  // An error may, by mistake, be its own cause.
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    if ("code" in current && typeof current.code === "string" && "syscall" in current) {
      return listeningCalls.includes(current.syscall) ? current.code : undefined;
    }
    current = current.cause;
  }
  return undefined;
}
