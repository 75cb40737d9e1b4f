import type { Cluster } from "node:cluster";
import { type BigIntStats, lstatSync, unlinkSync } from "node:fs";
import { chmod, lstat, rename, stat } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";

/** Only the owner's processes may connect. */
const defaultMode = 0o600;
/** The mode until the configured one is set: only the owner can connect. */
const privateUmask = 0o177;
const writableByAll = 0o002;
const sticky = 0o1000;

/** What the kernel's `sockaddr_un` has room for, without the NUL at its end; the system would cut off a longer path, or refuse it without a reason. */
const maxPathBytes = process.platform === "linux" ? 107 : 103;

/**
 * The file of a Unix socket. It is bound under a name of its own and renamed when it has its mode, so that it is never there with
 * another; and renaming keeps the file of a process that takes the path over later, which the system's own clean-up would remove.
 *
 * Workers of `node:cluster` share one socket, which their parent binds: they agree on the name, the first that comes publishes it,
 * and none removes it, because the others may still use it. What is left in the end is replaced at the next start.
 */
export class UnixSocketFile {
  readonly path: string;
  /** Where to bind. */
  readonly bindPath: string;
  private readonly mode: number;
  private readonly isShared: boolean;
  private inode: string | undefined = undefined;

  private constructor(path: string, mode: number) {
    this.path = path;
    // Loaded here, as few servers listen on Unix sockets.
    const { createHash, randomBytes } = process.getBuiltinModule("node:crypto");
    // Its type is that of the ES module; what it returns is the CommonJS one, which is the cluster itself.
    const cluster = process.getBuiltinModule("node:cluster") as unknown as Cluster;
    this.isShared = cluster.isWorker;
    const name = this.isShared ? createHash("sha256").update(`${process.ppid} ${path}`).digest() : randomBytes(3);
    this.bindPath = join(dirname(path), `.${name.toString("hex", 0, 3)}`);
    this.mode = mode;
  }

  /**
   * Looks at the path, and removes the file of a server that is gone.
   *
   * @throws Error that says why nothing can listen there, with the code EADDRINUSE when a server does
   */
  static async prepare(path: string, mode: number = defaultMode): Promise<UnixSocketFile> {
    if (path.includes("\0"))
      throw unusable(path, "holds a NUL; abstract sockets have no permissions, so they are not served");
    if (path.split("/").includes("..")) throw unusable(path, 'holds ".."; name the folder itself');
    const file = new UnixSocketFile(resolve(path), mode);
    for (const name of [file.path, file.bindPath]) {
      const bytes = Buffer.byteLength(name);
      if (bytes > maxPathBytes) throw unusable(path, `has ${bytes} bytes; a Unix socket's has at most ${maxPathBytes}`);
    }
    await checkFolder(path, dirname(file.path));
    if (!file.isShared) await removeStale(path, file.path);
    return file;
  }

  /** The path is bound within `bind`, with permissions for the owner alone. */
  bindPrivately(bind: () => void): void {
    // A worker thread shares its process's mask and may not change it.
    if (!process.getBuiltinModule("node:worker_threads").isMainThread) {
      bind();
      return;
    }
    const before = process.umask(privateUmask);
    try {
      bind();
    } finally {
      process.umask(before);
    }
  }

  /** It listens: from here on it is found by its path. */
  async publish(): Promise<void> {
    if (this.isShared) {
      await this.publishOnce();
      return;
    }
    await chmod(this.bindPath, this.mode);
    await rename(this.bindPath, this.path);
    this.inode = inodeOf(this.path);
  }

  /** Several workers may run this at once. A worker that finds the name gone knows that another has published it. */
  private async publishOnce(): Promise<void> {
    try {
      if (inodeOf(this.bindPath) === undefined) return;
      await removeStale(this.path, this.path);
      await chmod(this.bindPath, this.mode);
      await rename(this.bindPath, this.path);
    } catch (error) {
      if (inodeOf(this.bindPath) !== undefined) throw error;
    }
  }

  /** Removes the file, unless another has taken its place. */
  remove(): void {
    if (this.inode === undefined || inodeOf(this.path) !== this.inode) return;
    unlinkSync(this.path);
  }
}

/** A user who may write to the folder may replace our socket with their own. */
async function checkFolder(path: string, folder: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  const own = process.getuid?.();
  if (own === undefined) return;
  if (uid !== own && uid !== 0) throw unusable(path, `is in ${folder}, which belongs to another user (${uid})`);
  // With the sticky bit, as /tmp has it, every user may add files, but may not replace the files of others.
  if ((mode & writableByAll) !== 0 && (mode & sticky) === 0)
    throw unusable(path, `is in ${folder}, where everybody may replace it`);
}

async function removeStale(path: string, file: string): Promise<void> {
  let found: BigIntStats;
  try {
    found = await lstat(file, { bigint: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (!found.isSocket()) throw unusable(path, "exists and is not a socket");
  const own = process.getuid?.();
  if (own !== undefined && Number(found.uid) !== own)
    throw unusable(path, `is a socket of another user (${found.uid})`);
  if (await isServed(file)) throw Object.assign(unusable(path, "is served by another process"), { code: "EADDRINUSE" });
  // A sibling may have replaced it with its own socket since then.
  if (inodeOf(file) === `${found.dev}:${found.ino}`) unlinkSync(file);
}

/** A socket whose server has ended refuses; one whose server is busy accepts the connection, if not at once. */
function isServed(file: string): Promise<boolean> {
  return new Promise((done, failed) => {
    const socket = connect(file);
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") done(false);
      // A full queue of connections is a sign of life.
      else if (error.code === "EAGAIN") done(true);
      else failed(error);
    });
  });
}

function inodeOf(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

function unusable(path: string, why: string): Error {
  return new Error(`the Unix socket ${JSON.stringify(path)} ${why}`);
}
