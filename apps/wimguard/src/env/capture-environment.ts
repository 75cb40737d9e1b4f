import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { hostname, release, type } from "node:os";
import { promisify } from "node:util";
import { engines } from "../engine/engines.ts";
import type { Environment } from "./environment.ts";
import { hideSecrets } from "./hide-secrets.ts";

const execute = promisify(execFile);

/** A package manager that hangs must not keep a backup. */
const programTimeoutMs = 10_000;
const maxOutputBytes = 16 * 1024 * 1024;

/** Lists the packages of Debian and its relatives, of Red Hat's, of Alpine: the first that is there. */
const packageManagers: readonly (readonly [program: string, ...args: string[]])[] = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are those of dpkg-query
  ["dpkg-query", "--show", "--showformat=${binary:Package} ${Version}\\n"],
  ["rpm", "--query", "--all", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}\\n"],
  ["apk", "info", "--verbose"],
];

/** File systems that are part of the kernel and say nothing about disks. */
const virtualTypes = new Set([
  "proc",
  "sysfs",
  "cgroup",
  "cgroup2",
  "devpts",
  "mqueue",
  "securityfs",
  "debugfs",
  "tracefs",
]);

/**
 * Takes down the environment of this process and machine.
 *
 * @param key of the HMACs that stand for secrets
 */
export async function captureEnvironment(key: Uint8Array, env: NodeJS.ProcessEnv = process.env): Promise<Environment> {
  const [os, tools, packages, mounts, users] = await Promise.all([
    describeSystem(),
    listTools(),
    listPackages(),
    listMounts(),
    listUsers(),
  ]);
  return { host: hostname(), os, variables: hideSecrets(env, key), tools, packages, mounts, users };
}

async function describeSystem(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1];
  return [name, `${type()} ${release()}`].filter((part) => part !== undefined).join(", ");
}

async function listTools(): Promise<Record<string, string>> {
  const probed = await Promise.all(
    Object.values(engines).map(async (engine) => {
      const found = await engine.probe().catch(() => undefined);
      return found === undefined ? [] : [[engine.name, found.version] as const];
    }),
  );
  return Object.fromEntries([["node", process.versions.node] as const, ...probed.flat()]);
}

async function listPackages(): Promise<string[]> {
  for (const [program, ...args] of packageManagers) {
    try {
      const { stdout } = await execute(program, args, { timeout: programTimeoutMs, maxBuffer: maxOutputBytes });
      return linesOf(stdout).sort();
    } catch {
      // It is another system's.
    }
  }
  return [];
}

async function listMounts(): Promise<string[]> {
  const lines = linesOf(await readFile("/proc/self/mounts", "utf8").catch(() => ""));
  return lines.flatMap((line) => {
    const [device = "", place = "", kind = "", options = ""] = line.split(" ");
    return virtualTypes.has(kind) ? [] : [`${place} ${device} ${kind} ${options}`];
  });
}

/** Names, numbers, home folders and shells; passwords are elsewhere. */
async function listUsers(): Promise<string[]> {
  const lines = linesOf(await readFile("/etc/passwd", "utf8").catch(() => ""));
  return lines.map((line) => {
    const [name = "", , uid = "", gid = "", , home = "", shell = ""] = line.split(":");
    return [name, uid, gid, home, shell].join(":");
  });
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
