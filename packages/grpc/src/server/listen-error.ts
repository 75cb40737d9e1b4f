import type { ListenAddress } from "../transport/server/listen.ts";

/** What an operator can do about an address that cannot be listened on, by the operating system's code. */
const problems: ReadonlyMap<string, readonly [problem: string, advice: string]> = new Map([
  ["EADDRINUSE", ["the port is in use", "stop the program that uses it, or choose another port (0 takes a free one)"]],
  ["EACCES", ["this user may not use the port", "choose one above 1023"]],
  ["EADDRNOTAVAIL", ["this machine does not have the address", "choose another host, such as 127.0.0.1 or 0.0.0.0"]],
  ["ENOTFOUND", ["the host is unknown", "choose an address of this machine, such as 127.0.0.1 or 0.0.0.0"]],
]);

/**
 * The error for a port that cannot be listened on: it says where, why and what to do, and has the `code`, `address` and `port` of Node's own. Such
 * an error is expected, so its stack, which shows only internals of Node, is left out: a program that does not catch it ends with the
 * message. Any other error is returned as it is.
 */
export function explainListenError(error: unknown, { host, port }: ListenAddress): unknown {
  const { code } = error as { readonly code?: string };
  const known = code === undefined ? undefined : problems.get(code);
  if (known === undefined || port === undefined) return error;
  const [problem, advice] = known;
  const where = host?.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const explained = new Error(`cannot listen on ${where}: ${problem} (${code}); ${advice}`);
  explained.stack = `${explained.name}: ${explained.message}`;
  return Object.assign(explained, { code, syscall: "listen", address: host, port });
}
