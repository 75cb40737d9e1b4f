// What keeps the event loop of this process alive, for messages about tests that do not close what they open.
import type { Server, Socket } from "node:net";

/** Handles that the undocumented list below describes better than their type does. */
const described = new Set(["TCPServerWrap", "TCPSocketWrap", "PipeServerWrap", "PipeWrap", "TTYWrap", "ProcessWrap"]);

/** One text for each resource that keeps the event loop alive, with its address or process id where Node says so. */
export function openHandles(): string[] {
  return [...describedHandles(), ...process.getActiveResourcesInfo().filter((type) => !described.has(type))];
}

/** What is in `now` and was not in `before`; what is there several times has to be in `before` as often. */
export function addedSince(before: readonly string[], now: readonly string[]): string[] {
  const remaining = [...before];
  return now.filter((one) => {
    const at = remaining.indexOf(one);
    if (at !== -1) remaining.splice(at, 1);
    return at === -1;
  });
}

/** A list for a message: equal texts are counted. */
export function listHandles(handles: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const one of handles) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].map(([one, count]) => (count === 1 ? one : `${count} × ${one}`)).join(", ");
}

/** Active handles other than this process's own standard streams. */
function describedHandles(): string[] {
  // Undocumented, so its absence is not an error; the documented list has neither addresses nor process ids.
  const { _getActiveHandles } = process as unknown as { _getActiveHandles?: () => object[] };
  const own = new Set<unknown>([process.stdin, process.stdout, process.stderr]);
  const handles = _getActiveHandles?.call(process) ?? [];
  return handles.filter((handle) => !own.has(handle) && !isOver(handle)).map(describeHandle);
}

/** The list also has closed servers and disconnected sockets for a while, which keep nothing alive. */
function isOver(handle: object): boolean {
  if ("listening" in handle && "address" in handle) return !(handle as Server).listening;
  if (!("remoteAddress" in handle)) return false;
  const { remoteAddress, connecting } = handle as Socket;
  return remoteAddress === undefined && !connecting;
}

function describeHandle(handle: object): string {
  const type = handle.constructor.name;
  if ("pid" in handle && "spawnfile" in handle) return `${type} ${handle.pid} (${handle.spawnfile})`;
  if ("listening" in handle && "address" in handle) return `${type} listening on ${addressText(handle as Server)}`;
  if ("remoteAddress" in handle) {
    const { localPort, remoteAddress, remotePort } = handle as Socket;
    return remoteAddress === undefined ? type : `${type} from port ${localPort} to ${remoteAddress}:${remotePort}`;
  }
  return type;
}

function addressText(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") return String(address);
  return `${address.address}:${address.port}`;
}
