import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Engine } from "../../../apps/wimguard/src/gen/wimguard/v1/common_pb.ts";
import type { CleanupContext } from "../../../apps/wimguard/test/daemon/cleanup.ts";
import { type DaemonStart, startDaemon, type TestDaemon } from "../../../apps/wimguard/test/daemon/daemon-process.ts";
import { type Cost, measureDaemon, measureShell, memoryOf } from "./measure.ts";

/** A program that backs up a folder, again and again, and restores the last backup. */
export interface Subject {
  readonly name: string;
  /** Of the program, for the line below the table. */
  readonly version: string;
  /** Prepares an empty place for backups. */
  open(context: CleanupContext, source: string, folder: string): Promise<OpenSubject>;
}

export interface OpenSubject {
  backUp(): Promise<Cost>;
  /** Into a folder that does not exist. Returns where the source's folder is then. */
  restore(target: string): Promise<Cost & { readonly folder: string }>;
  storedBytes(): number;
  /** Of the process that works, where it is one that stays. */
  peakBytes?(): number;
}

/**
 * Every subject whose program is installed, and why the others are not measured.
 *
 * @param start of WimGuard's daemons
 */
export function findSubjects(start: DaemonStart): {
  readonly subjects: readonly Subject[];
  readonly absent: readonly string[];
} {
  const absent: string[] = [];
  const versionOf = (program: string, pattern: RegExp, ...args: readonly string[]): string | undefined => {
    const { stdout } = spawnSync(program, args, { encoding: "utf8" });
    const version = pattern.exec(stdout ?? "")?.[1];
    if (version === undefined) absent.push(`${program} is not installed`);
    return version;
  };
  const wimlib = versionOf("wimlib-imagex", /wimlib-imagex (\S+)/, "--version");
  const zstd = versionOf("zstd", /v(\d[\d.]*)/, "--version");
  const restic = versionOf("restic", /restic (\S+)/, "version");
  const borg = versionOf("borg", /borg (\S+)/, "--version");
  const subjects = [
    wimguardTar(start),
    ...(wimlib === undefined ? [] : [wimguardWim(start, "LZX:20"), wimguardWim(start, "XPRESS")]),
    ...(zstd === undefined ? [] : [tarZstd(zstd)]),
    ...(wimlib === undefined ? [] : [imagex("LZX:20", wimlib), imagex("XPRESS", wimlib)]),
    ...(restic === undefined ? [] : [wimguardRestic(start), resticPeer(restic)]),
    ...(borg === undefined ? [] : [borgPeer(borg)]),
  ];
  return { subjects, absent };
}

const own = "this checkout";

function wimguardTar(start: DaemonStart): Subject {
  return {
    name: "wimguard tar",
    version: own,
    async open(context, source, folder) {
      const daemon = await openDaemon(context, start, { source, folder });
      let number = 0;
      return ofDaemon(daemon, source, () => join(folder, `${number++}.tar.zst`));
    },
  };
}

function wimguardWim(start: DaemonStart, compression: string): Subject {
  return {
    name: `wimguard wim ${compression}`,
    version: own,
    async open(context, source, folder) {
      const daemon = await openDaemon(context, start, { source, folder });
      const destination = { name: "file", url: folder, template: "all.wim", engine: Engine.WIM, append: true };
      await daemon.client.registry.createDestination({ destination });
      return ofDaemon(daemon, source, () => "file", compression);
    },
  };
}

function wimguardRestic(start: DaemonStart): Subject {
  return {
    name: "wimguard restic",
    version: own,
    async open(context, source, folder) {
      const daemon = await openDaemon(context, start, { source, folder });
      const password = join(daemon.folders.data, "password");
      writeFileSync(password, "of a benchmark\n", { mode: 0o600 });
      const url = `restic:${join(folder, "repository")}`;
      const destination = { name: "safe", url, engine: Engine.RESTIC, secretRef: `file:${password}` };
      await daemon.client.registry.createDestination({ destination });
      return ofDaemon(daemon, source, () => "safe");
    },
  };
}

async function openDaemon(
  context: CleanupContext,
  start: DaemonStart,
  { source, folder }: { readonly source: string; readonly folder: string },
): Promise<TestDaemon> {
  const data = `${folder}-data`;
  for (const path of [folder, data]) mkdirSync(path);
  return startDaemon(context, { ...start, folders: { data, source, destinations: folder } });
}

function ofDaemon(daemon: TestDaemon, source: string, nextName: () => string, compression = ""): OpenSubject {
  const { client, pid, folders } = daemon;
  let last = "";
  let count = 0;
  return {
    backUp: () =>
      measureDaemon(pid, async () => {
        // The method of a file that is added to is its own.
        const request = { source, destination: nextName(), compression: count++ === 0 ? compression : "" };
        const { uuid, warnings } = await client.backupToEnd(request);
        if (warnings !== "") throw new Error(warnings);
        last = uuid;
      }),
    async restore(target) {
      const cost = await measureDaemon(pid, async () => {
        for await (const _ of client.restore.createRestore({ snapshotUuid: last, target }));
      });
      return { ...cost, folder: target };
    },
    storedBytes: () => bytesIn(folders.destinations),
    peakBytes: () => memoryOf(pid).peakBytes,
  };
}

function tarZstd(version: string): Subject {
  return {
    name: "tar | zstd -3",
    version: `zstd ${version}`,
    async open(_, source, folder) {
      mkdirSync(folder);
      let number = 0;
      const options = "--create --format=posix --xattrs --acls --sparse --numeric-owner";
      return {
        backUp: () =>
          measureShell(`tar ${options} . | zstd -3 -T0 -q -o '${join(folder, `${++number}.tar.zst`)}'`, {
            folder: source,
          }),
        async restore(target) {
          mkdirSync(target);
          const script = `zstd -q -dc '${join(folder, `${number}.tar.zst`)}' | tar --extract --xattrs --acls --numeric-owner`;
          return { ...(await measureShell(script, { folder: target })), folder: target };
        },
        storedBytes: () => bytesIn(folder),
      };
    },
  };
}

function imagex(compression: string, version: string): Subject {
  return {
    name: `wimlib-imagex ${compression}`,
    version: `wimlib ${version}`,
    async open(_, source, folder) {
      mkdirSync(folder);
      const file = join(folder, "all.wim");
      let images = 0;
      const options = "--unix-data --norpfix --check";
      return {
        backUp: () => {
          images++;
          const script =
            images === 1
              ? `wimlib-imagex capture . '${file}' 1 --compress=${compression} ${options}`
              : `wimlib-imagex append . '${file}' ${images} --update-of=${images - 1} ${options}`;
          return measureShell(script, { folder: source });
        },
        async restore(target) {
          mkdirSync(target);
          const script = `wimlib-imagex apply '${file}' ${images} . --unix-data`;
          return { ...(await measureShell(script, { folder: target })), folder: target };
        },
        storedBytes: () => bytesIn(folder),
      };
    },
  };
}

function resticPeer(version: string): Subject {
  return {
    name: "restic",
    version: `restic ${version}`,
    async open(_, source, folder) {
      const env = {
        RESTIC_REPOSITORY: folder,
        RESTIC_PASSWORD: "of a benchmark",
        RESTIC_CACHE_DIR: `${folder}-cache`,
      };
      await measureShell("restic init", { folder: source, env });
      return {
        backUp: () => measureShell("restic backup --quiet .", { folder: source, env }),
        async restore(target) {
          const cost = await measureShell(`restic restore latest --quiet --target '${target}'`, {
            folder: source,
            env,
          });
          return { ...cost, folder: target };
        },
        storedBytes: () => bytesIn(folder),
      };
    },
  };
}

function borgPeer(version: string): Subject {
  return {
    name: "borg",
    version: `borg ${version}`,
    async open(_, source, folder) {
      const env = { BORG_REPO: folder, BORG_PASSPHRASE: "of a benchmark", BORG_BASE_DIR: `${folder}-base` };
      mkdirSync(env.BORG_BASE_DIR);
      await measureShell("borg init --encryption repokey-blake2", { folder: source, env });
      let number = 0;
      return {
        backUp: () => measureShell(`borg create --compression zstd,3 ::${++number} .`, { folder: source, env }),
        async restore(target) {
          mkdirSync(target);
          return { ...(await measureShell(`borg extract ::${number}`, { folder: target, env })), folder: target };
        },
        storedBytes: () => bytesIn(folder),
      };
    },
  };
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Removes what a subject has written. */
export function removePlace(folder: string): void {
  for (const path of [folder, `${folder}-data`, `${folder}-cache`, `${folder}-base`])
    rmSync(path, { recursive: true, force: true });
}
