import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

/** A process that listens on a port. */
export interface PortOwner {
  readonly pid: number;
  /** Its command line, as far as it may be seen. */
  readonly command: string;
}

const run = promisify(execFile);
const lsofTimeoutMs = 3000;
const maxCommandLength = 80;
/** `0A` in proc(5). */
const listenState = "0A";

/**
 * Finds the processes that listen on a TCP port, on any address. Empty where no process of this user does: those of others cannot be seen.
 * Undefined where the system does not say.
 */
export async function portOwners(port: number): Promise<readonly PortOwner[] | undefined> {
  try {
    if (process.platform === "linux") return linuxOwners(port);
    if (process.platform === "win32") return undefined;
    return await lsofOwners(port);
  } catch {
    return undefined;
  }
}

/**
 * Whether a process, or one that descends from it, listens on a port. Undefined where the system does not say.
 *
 * @param leader a process that leads a process group
 */
export async function isServedBy(leader: number, port: number): Promise<boolean | undefined> {
  const owners = await portOwners(port);
  if (owners === undefined) return undefined;
  for (const { pid } of owners) if (pid === leader || (await groupOf(pid)) === leader) return true;
  return false;
}

/** `pid 4711: node server.js`; says less of a process that cannot be seen. */
export function describeOwner(owner: PortOwner | undefined): string {
  if (owner === undefined) return "another process";
  return `another process (pid ${owner.pid}${owner.command === "" ? "" : `: ${owner.command}`})`;
}

function linuxOwners(port: number): readonly PortOwner[] {
  const sockets = new Set(["tcp", "tcp6"].flatMap((table) => listeningSockets(`/proc/net/${table}`, port)));
  if (sockets.size === 0) return [];
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    return Number.isInteger(pid) && holdsOne(pid, sockets) ? [{ pid, command: linuxCommand(pid) }] : [];
  });
}

/** `socket:[12345]` for each socket of a table that listens on the port. The columns are those of proc(5). */
function listeningSockets(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  let text: string;
  try {
    text = readFileSync(table, "latin1");
  } catch {
    // Without IPv6 the system does not have its table.
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === listenState && local.endsWith(`:${wanted}`) ? [`socket:[${inode}]`] : [];
  });
}

function holdsOne(pid: number, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        // It was closed meanwhile.
        return false;
      }
    });
  } catch {
    // It has ended, or belongs to someone else.
    return false;
  }
}

function linuxCommand(pid: number): string {
  try {
    return shorten(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
  } catch {
    return "";
  }
}

/** lsof prints a line for each field: `p4711`, `cnode`. It ends with 1 where no one listens. */
async function lsofOwners(port: number): Promise<readonly PortOwner[]> {
  const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"];
  const { stdout } = await run("lsof", args, { timeout: lsofTimeoutMs }).catch((error: { code?: unknown }) => {
    if (error.code === 1) return { stdout: "" };
    throw error;
  });
  const pids = [...stdout.matchAll(/^p(\d+)\nc(.*)$/gm)];
  return pids.map(([, pid, command = ""]) => ({ pid: Number(pid), command: shorten(command) }));
}

/** The process group, which is the id of the process that leads it. Undefined for one that has ended. */
async function groupOf(pid: number): Promise<number | undefined> {
  if (process.platform === "linux") {
    try {
      // The name of the program comes first, in parentheses, and may hold anything.
      const afterName = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1) ?? "";
      return Number(afterName.split(" ")[2]);
    } catch {
      return undefined;
    }
  }
  const { stdout } = await run("ps", ["-o", "pgid=", "-p", String(pid)], { timeout: lsofTimeoutMs });
  return Number(stdout);
}

function shorten(command: string): string {
  const text = command.trim();
  return text.length <= maxCommandLength ? text : `${text.slice(0, maxCommandLength - 1)}…`;
}
