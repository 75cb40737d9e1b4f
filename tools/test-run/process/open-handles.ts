// Lists what keeps the event loop of this process alive, for messages about tests that do not close what they open.
import type { Server, Socket } from "node:net";

/** Types of handles that the undocumented list below describes better. */
const described = new Set(["TCPServerWrap", "TCPSocketWrap", "PipeServerWrap", "PipeWrap", "TTYWrap", "ProcessWrap"]);

/** Returns a text for each resource that keeps the event loop alive, with its address or process id if Node provides it. */
export function openHandles(): string[] {
  return [...describedHandles(), ...process.getActiveResourcesInfo().filter((type) => !described.has(type))];
}

/** Returns the entries of `now` that are not in `before`, counting equal entries. */
export function addedSince(before: readonly string[], now: readonly string[]): string[] {
  const remaining = [...before];
  return now.filter((one) => {
    const at = remaining.indexOf(one);
    if (at !== -1) remaining.splice(at, 1);
    return at === -1;
  });
}

/** Returns a list for a message, in which equal texts are counted. */
export function listHandles(handles: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const one of handles) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].map(([one, count]) => (count === 1 ? one : `${count} × ${one}`)).join(", ");
}

/** Returns active handles, without the standard streams of this process. */
function describedHandles(): string[] {
  // Undocumented, so it may be missing. The documented list has no addresses and process ids.
  const { _getActiveHandles } = process as unknown as { _getActiveHandles?: () => object[] };
  const own = new Set<unknown>([process.stdin, process.stdout, process.stderr]);
  const handles = _getActiveHandles?.call(process) ?? [];
  return handles.filter((handle) => !own.has(handle) && !isOver(handle)).map(describeHandle);
}

/** For some time, the list also has closed servers and disconnected sockets, which do not keep the process alive. */
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
