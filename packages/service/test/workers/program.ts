// A server on several cores that does what its callers ask, and tells on standard output what happens, one JSON object a line.
import { existsSync } from "node:fs";
import { createServer, type LogFields, systemClock } from "@tercel/grpc";
import { createShared, workerNumber } from "@tercel/grpc/internal";
import { createHealth } from "@tercel/grpc/services";
import { runWorkers } from "../../src/workers/run-workers.ts";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

interface Settings {
  readonly workers?: number;
  readonly port?: number;
  /** A Unix socket in place of a port. */
  readonly path?: string;
  readonly killAfterMs?: number;
  /** How the setup ends before it serves. */
  readonly start?: "fails" | "crashes";
  /** The setup goes on when this file does not exist any more. */
  readonly waitsFor?: string;
  /** The setup fails when this file exists. */
  readonly failsWith?: string;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as Settings;
const { start, waitsFor, failsWith, port = 0, path, ...workersOptions } = settings;

function tell(message: string, fields: LogFields = {}): void {
  process.stdout.write(`${JSON.stringify({ message, ...fields })}\n`);
}

let calls = 0;
const callCount = createShared<number>({
  name: "calls",
  read: () => calls,
  merge: (parts) => parts.reduce((sum, part) => sum + part, 0),
  keep: (part) => part,
});

// So that no signal is taken for the echo of another.
let readings = 0;
const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 1000 * readings++ };

try {
  const outcome = await runWorkers(
    async (life) => {
      tell("the setup begins", { pid: process.pid });
      while (waitsFor !== undefined && existsSync(waitsFor)) await new Promise((resolve) => setTimeout(resolve, 10));
      if (start === "crashes") process.exit(7);
      if (start === "fails" || (failsWith !== undefined && existsSync(failsWith)))
        throw new Error("no route to the database");
      const health = createHealth();
      const server = createServer({
        routes(router) {
          health.routes(router);
          router.service(EchoService, {
            async unary({ text }) {
              calls++;
              if (text === "until the stop")
                await new Promise((resolve) => life.signal.addEventListener("abort", resolve));
              if (text === "for ever") await new Promise(() => {});
              if (text === "hang") for (;;);
              if (text === "not serving") health.setStatus("", "NOT_SERVING");
              if (text === "count") return { text: JSON.stringify(await callCount.collect()) };
              return { text: String(process.pid), count: workerNumber() ?? 0 };
            },
          });
        },
      });
      await life.serve(server, path === undefined ? { port } : { path }, { health });
    },
    {
      ...workersOptions,
      shared: [callCount],
      drainMs: 60_000,
      maxFailedStarts: 3,
      clock,
      log: { debug: tell, info: tell, warn: tell, error: tell },
      onReady: (addresses) => tell("everybody is ready", { addresses }),
    },
  );
  tell("the parent ends", { ...outcome, problems: outcome.problems.map((problem) => problem.message) });
  process.exit(outcome.exitCode);
} catch (error) {
  tell("the parent failed", { problem: (error as Error).message });
  process.exit(1);
}
