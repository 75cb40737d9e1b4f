import type { Worker } from "node:cluster";
import type { ListenAddress } from "@tercel/grpc";
import { isOurs, type ParentMessage, type WorkerMessage } from "./messages.ts";

/** The parent's handle of a worker. */
export class WorkerProcess {
  /** Number from 1; its replacement has the same. */
  readonly number: number;
  readonly pid: number | undefined;
  state: "starting" | "ready" | "stopping" = "starting";
  /** Time when it became ready, by the parent's clock. */
  readyAtMs: number | undefined = undefined;
  addresses: readonly ListenAddress[] = [];
  isServing = false;
  /** The problem of its failed start. */
  startProblem: string | undefined = undefined;
  /** The problems that it reported when it stopped. */
  stopProblems: readonly string[] = [];
  /** The last parts of shared state that it sent. */
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
    // Without a process only "error" is emitted, otherwise "close", possibly after "error". A message that cannot be sent is an
    // "error", too, and without a listener it would end the parent.
    worker.on("error", (cause) => {
      error = cause;
      if (worker.process.pid === undefined) ended(cause.message);
    });
    // "close" follows the last message; "exit" may precede it.
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
    // It may have exited a moment ago, which "close" reports.
    if (this.#worker.isConnected()) this.#worker.process.send(message, undefined, {}, () => {});
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }
}
