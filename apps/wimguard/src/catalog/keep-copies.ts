import type { DatabaseSync } from "node:sqlite";
import type { Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { Lifecycle } from "@tercel/service/lifecycle";
import type { DurableFiles } from "../files/durable-files.ts";
import { copyCatalog } from "./copy-catalog.ts";

export interface CopyParts {
  readonly database: DatabaseSync;
  readonly files: DurableFiles;
  readonly catalogPath: string;
  readonly log: Log;
  nowMs(): number;
}

/** Interval of the checks, so that a machine that sleeps at midnight gets its copy soon after it wakes up. */
const lookEveryMs = 3_600_000;

/** Copies the catalogue now and daily until the daemon stops. A failed copy is logged. */
export async function keepCopies(
  life: Lifecycle,
  { database, files, catalogPath, log, nowMs }: CopyParts,
): Promise<void> {
  let running: Promise<void> | undefined;
  const look = (): Promise<void> => {
    running ??= copyCatalog(database, files, catalogPath, nowMs())
      .then(
        (path) => path !== undefined && log.info("copied the catalogue", { path }),
        (error) => log.warn("cannot copy the catalogue", { error: thrownText(error) }),
      )
      .then(() => {
        running = undefined;
      });
    return running;
  };
  await look();
  await life.start(
    "copies of the catalogue",
    () => setInterval(() => void look(), lookEveryMs).unref(),
    async (timer) => {
      clearInterval(timer);
      await running;
    },
  );
}
