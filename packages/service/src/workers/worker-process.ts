import type { Worker } from "node:cluster";
import type { ListenAddress } from "@tercel/grpc";
import { isOurs, type ParentMessage, type WorkerMessage } from "./messages.ts";

/** A worker as its parent knows it. */
export class WorkerProcess {
  /** From 1 on; whoever replaces it has the same. */
  readonly number: number;
  readonly pid: number | undefined;
  state: "starting" | "ready" | "stopping" = "starting";
  /** By the parent's clock. */
  readyAtMs: number | undefined = undefined;
  addresses: readonly ListenAddress[] = [];
  isServing = false;
  /** What it said of its failed start. */
  startProblem: string | undefined = undefined;
  /** What it said was left undone when it stopped. */
  stopProblems: readonly string[] = [];
  /** The last part it gave of what is shared. */
  readonly parts = new Map<string, unknown>();
  readonly #worker: Worker;

  constructor(
    number: number,
    worker: Worker,
    onMessage: (message: WorkerMessage) => void,
    onExit: (how: string) => void,
  ) {
    this.number = number;
    this.#worker = worker;
    this.pid = worker.process.pid;
    worker.on("message", (message: unknown) => {
      if (isOurs(message)) onMessage(message as WorkerMessage);
    });
    let error: Error | undefined;
    let hasEnded = false;
    // "error" alone when there is no process, "close" alone or behind it when there was one. A message that cannot be sent is an
    // "error", too, and without a listener it would end the parent.
    worker.on("error", (cause) => {
      error = cause;
      if (worker.process.pid === undefined) ended(cause.message);
    });
    // "close" comes behind the last message, "exit" may not.
    worker.process.on("close", (code, signal) => {
      ended(
        signal !== null ? `signal ${signal}` : `exit code ${code}${error === undefined ? "" : `: ${error.message}`}`,
      );
    });
    function ended(how: string): void {
      if (hasEnded) return;
      hasEnded = true;
      onExit(how);
    }
  }

  send(message: ParentMessage): void {
    // It may have gone a moment ago; its "close" says so.
    if (this.#worker.isConnected()) this.#worker.process.send(message, undefined, {}, () => {});
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }
}
