// A process that checks items of the proof that its argument names, one after the other, until its parent disconnects.
import { once } from "node:events";
import { inspect } from "node:util";
import { proofs } from "./proofs.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

// Ctrl-C reaches every process of the terminal: the parent lets the items end.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
const send = (message: FromWorker): void => void process.send?.(message);
const disconnected = once(process, "disconnect");
const started = await proofs[process.argv[2] ?? ""]?.start();
if (started === undefined) throw new Error(`there is no proof ${process.argv[2]}`);
const { limit } = started;
let checking = Promise.resolve();
process.on("message", ({ seed, index }: ToWorker) => {
  checking = checking.then(async () => {
    try {
      send({ kind: "checked", counts: (await started.check(seed, index)) ?? {} });
    } catch (error) {
      send({ kind: "failed", text: inspect(error) });
    }
  });
});
send({ kind: "ready", ...(limit !== undefined && { limit }) });
await disconnected;
await checking;
await started.close?.();
