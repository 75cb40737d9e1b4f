import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunning } from "../../target/dev-target.ts";
import type { DevEvent } from "./dev-event.ts";

/** Longer paths do not fit into the address of a Unix socket: 104 bytes on macOS, including the final zero. */
const maxPathBytes = 103;
/** A reader with more bytes queued has stopped reading. */
const maxQueuedBytes = 4 * 1024 * 1024;
/** Time for a reader to receive the last events. */
const lastWordsMs = 500;
const ownName = /^dev-(\d+)\.sock$/;

/** Sends the events of a run of `tercel dev` to programs on this machine: lines of JSON on a Unix socket, on Windows a named pipe. */
export class EventSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #readers = new Set<Socket>();
  readonly #folder: string | undefined;

  private constructor(path: string, folder: string | undefined, server: Server) {
    this.path = path;
    this.#folder = folder;
    this.#server = server;
  }

  /**
   * @param folder of the socket, if its path is short enough; else it is in the folder for temporary files
   * @param first events that a reader receives when it connects
   * @throws Error when the file system has no sockets
   */
  static async open(folder: string, first: () => readonly DevEvent[]): Promise<EventSocket> {
    removeStale(folder);
    const { path, made } = choosePath(folder);
    const server = createServer();
    const socket = new EventSocket(path, made, server);
    server.on("connection", (reader) => socket.#add(reader, first()));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(path, resolve);
      });
      // Logs are only for the user who started the services.
      if (process.platform !== "win32") chmodSync(path, 0o600);
    } catch (error) {
      await socket.close();
      throw error;
    }
    return socket;
  }

  /** Sends events to all readers. @param events not called while there are no readers */
  publish(events: () => readonly DevEvent[]): void {
    if (this.#readers.size === 0) return;
    const lines = linesOf(events());
    for (const reader of this.#readers) this.#write(reader, lines);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) reader.end();
    // A reader that does not read or does not close its side would keep this program waiting.
    const timer = setTimeout(() => {
      for (const reader of this.#readers) reader.destroy();
    }, lastWordsMs);
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(timer);
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #add(reader: Socket, events: readonly DevEvent[]): void {
    this.#readers.add(reader);
    reader.once("close", () => this.#readers.delete(reader));
    // A disconnected reader is closed next.
    reader.on("error", () => {});
    // Input is discarded, so that the end of the reader's side is not stuck in a buffer.
    reader.resume();
    this.#write(reader, linesOf(events));
  }

  #write(reader: Socket, lines: string): void {
    if (reader.writableLength > maxQueuedBytes) reader.destroy();
    else if (reader.writable) reader.write(lines);
  }
}

function linesOf(events: readonly DevEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

function choosePath(folder: string): { readonly path: string; readonly made: string | undefined } {
  const name = `dev-${process.pid}.sock`;
  if (process.platform === "win32") return { path: `\\\\.\\pipe\\tercel-${name}`, made: undefined };
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= maxPathBytes) return { path, made: undefined };
  const made = mkdtempSync(join(tmpdir(), "tercel-dev-"));
  return { path: join(made, name), made };
}

/** Removes the socket of a run that was killed. */
function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = ownName.exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isRunning(Number(pid)))) rmSync(join(folder, name));
  }
}
