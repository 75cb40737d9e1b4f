// Loaded before every test file (node --import). A file whose tests have ended while something still keeps its process
// alive would hang the suite; here it fails, and what is left is named.
import type { Server, Socket } from "node:net";
import { after } from "node:test";

/**
 * Closing what a test opened may take a few turns, and hooks of the file itself run after ours. A second in many steps, because a
 * process that a busy machine lets stand still for that long has had no turn in it.
 */
const graceSteps = 20;
const graceStepMs = 50;

// Child processes that a test starts may inherit the flags of this one: only test files are checked.
if (/\.test\.[cm]?[jt]s$/.test(process.argv[1] ?? "")) {
  // Runs once the last test has ended, even while handles keep the event loop alive. The timer itself does not keep
  // it alive, so it fires only if something else does.
  after(() => {
    let stepsLeft = graceSteps;
    const step = (): void => {
      if (--stepsLeft > 0) {
        setTimeout(step, graceStepMs).unref();
        return;
      }
      console.error(`left open after the last test of ${process.argv[1]}: ${whatIsLeft().join(", ")}`);
      process.exit(1);
    };
    setTimeout(step, graceStepMs).unref();
  });
}

/** Names what keeps the event loop alive, with addresses and process ids where Node tells them. */
function whatIsLeft(): string[] {
  const left = describedHandles();
  const described = new Set(["TCPServerWrap", "TCPSocketWrap", "PipeServerWrap", "PipeWrap", "TTYWrap", "ProcessWrap"]);
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) {
    if (!described.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  for (const [type, count] of counts) left.push(count === 1 ? type : `${count} × ${type}`);
  return left;
}

/** Active handles other than this process's own standard streams. */
function describedHandles(): string[] {
  // Undocumented, so its absence is no error; the documented list has neither addresses nor process ids.
  const { _getActiveHandles } = process as unknown as { _getActiveHandles?: () => object[] };
  const own = new Set<unknown>([process.stdin, process.stdout, process.stderr]);
  return (_getActiveHandles?.call(process) ?? []).filter((handle) => !own.has(handle)).map(describeHandle);
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
