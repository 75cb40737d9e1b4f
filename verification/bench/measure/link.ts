import { createFaultProxy } from "@tercel/http2/testing";
import type { LinkWork } from "../case.ts";
import { TERCEL_LINK_CLIENT } from "../paths.ts";
import { runCommand } from "../process/command.ts";
import { LOAD_CORE, MEASURED_CORE, pinned } from "../process/pinned.ts";
import { startServer } from "../process/server-process.ts";
import { TERCEL } from "../subjects.ts";
import { transferRaw } from "../wire/raw-transfer.ts";
import { interleave, type Outcome } from "./interleave.ts";
import { reportTurn, type Session } from "./session.ts";

/** Long enough for windows to grow, and short enough that their growth affects the figure. */
const TRANSFER_BYTES = 100e6;
const TIMEOUT_MS = 120_000;

/** The second half of the same call, after the windows have grown. */
const SECOND_HALF = "second half";

/** A bare TCP connection over the same link, without a protocol. It is the upper limit, and shows how busy the machine is. */
const RAW = "tcp";

/** Measures how much of a link one call uses, in percent, from its first byte to its end, including the growth of the windows. */
export async function measureLink(work: LinkWork, session: Session): Promise<Map<string, Outcome>> {
  const server = await startServer(TERCEL.server, MEASURED_CORE);
  const faults = { latencyMs: work.roundTripMs / 2, bytesPerSecond: work.bytesPerSecond };
  const proxy = await createFaultProxy({
    target: { host: "127.0.0.1", port: server.port },
    toServer: faults,
    toClient: faults,
  });
  const share = (bytes: number, seconds: number): number => (100 * bytes) / seconds / work.bytesPerSecond;
  let secondHalf = 0;
  try {
    return await interleave([TERCEL.name, SECOND_HALF, RAW], session.rounds, async (name, round) => {
      if (name === SECOND_HALF) return reportTurn(session, name, round, { value: secondHalf });
      if (name === RAW) {
        const rawSeconds = await transferRaw(TRANSFER_BYTES, faults);
        return reportTurn(session, name, round, { value: share(TRANSFER_BYTES, rawSeconds) });
      }
      const target = `127.0.0.1:${proxy.address.port}`;
      const output = await runCommand(
        pinned(LOAD_CORE, [
          process.execPath,
          "--conditions=source",
          TERCEL_LINK_CLIENT,
          target,
          work.direction,
          String(TRANSFER_BYTES),
        ]),
        { timeoutMs: TIMEOUT_MS },
      );
      const { bytes, seconds, secondHalfSeconds } = JSON.parse(output) as Record<string, number> & {
        bytes: number;
        seconds: number;
        secondHalfSeconds: number;
      };
      secondHalf = share(bytes / 2, secondHalfSeconds);
      return reportTurn(session, name, round, { value: share(bytes, seconds) });
    });
  } finally {
    await proxy.close();
    await server.stop();
  }
}
