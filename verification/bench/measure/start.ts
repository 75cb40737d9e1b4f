import { setTimeout as sleep } from "node:timers/promises";
import type { StartWork } from "../case.ts";
import { UNARY_MESSAGE } from "../peers/echo-values.ts";
import { runH2loadCalls, writeBody } from "../process/h2load.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { readResidentBytes } from "../process/process-usage.ts";
import { startServer } from "../process/server-process.ts";
import { builtServer } from "../start/built-server.ts";
import type { Subject } from "../subjects.ts";
import { callOnce } from "../wire/call-once.ts";
import { echoMessage, framed } from "../wire/grpc-body.ts";
import { interleave, type Outcome } from "./interleave.ts";
import { reportTurn, type Session } from "./session.ts";
import { verifyInAnotherProcess } from "./verify-server.ts";

/** The time after which a server has finished its work for the calls. */
const SETTLE_MS = 500;
/** How the calls after the first one are made. */
const LOAD = { connections: 10, streams: 10 };
/** The time per call of the slowest subject with a million calls. */
const SECONDS_PER_CALL = 60e-6;
const BYTES_PER_MEBIBYTE = 1 << 20;
const message = echoMessage({ message: UNARY_MESSAGE });
const call = framed(message);
/** The header of a gRPC frame. */
const PREFIX_BYTES = 5;

/** Starts a new process for each turn. Measures the time to its first response, or its memory then or after many calls. */
export function measureStart(
  work: StartWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const byName = new Map(subjects.map((subject) => [subject.name, subject]));
  const commands = new Map<string, readonly string[]>();
  const bodyFile = writeBody("start", call);
  return interleave([...byName.keys()], session.rounds, async (name, round) => {
    const subject = byName.get(name) as Subject;
    const command = commands.get(name) ?? builtServer(subject);
    commands.set(name, command);
    await verifyInAnotherProcess({ ...subject, server: command }, session);
    const startedMs = performance.now();
    const server = await startServer(command, MEASURED_CORE);
    try {
      const response = await callOnce(server.port, "/bench.echo.v1.EchoService/Unary", call);
      const elapsedMs = performance.now() - startedMs;
      // Some subjects send the empty payload after it.
      if (response.indexOf(message) !== PREFIX_BYTES)
        throw new Error(`unexpected first response ${response.toString("hex")}`);
      if (work.measures === "time") return reportTurn(session, name, round, { value: elapsedMs });
      if (work.moreCalls > 0) {
        const load = { ...LOAD, port: server.port, method: "Unary", bodyFile, leastResponseBytes: call.length };
        await runH2loadCalls(load, work.moreCalls, work.moreCalls * SECONDS_PER_CALL);
      }
      await sleep(SETTLE_MS);
      server.assertRunning();
      return reportTurn(session, name, round, { value: readResidentBytes(server.pid) / BYTES_PER_MEBIBYTE });
    } finally {
      await server.stop();
    }
  });
}
