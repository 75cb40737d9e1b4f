import { join } from "node:path";
import type { OpenLoopWork } from "../case.ts";
import { readOpenLoopFigures } from "../open-loop/figures.ts";
import { OPEN_LOOP_FOLDER } from "../paths.ts";
import { UNARY_MESSAGE } from "../peers/echo-values.ts";
import { lastLineOf } from "../process/client-process.ts";
import { writeBody } from "../process/h2load.ts";
import { LOAD_CORE } from "../process/pinned.ts";
import type { Subject } from "../subjects.ts";
import { echoMessage, framed } from "../wire/grpc-body.ts";
import { warmUp } from "./counted-load.ts";
import type { Outcome } from "./interleave.ts";
import { measureEachServer } from "./servers.ts";
import { FIRST_WARM_UP_SECONDS, type Session, WARM_UP_SECONDS } from "./session.ts";

/** Additional time, for starting and for the last responses. */
const EXTRA_TIMEOUT_MS = 20_000;
/** Calls in flight on each connection while the server is warmed up. */
const WARM_UP_STREAMS = 10;

/**
 * Measures the 99th percentile of the time from when a call was due to its response. The generator is Tercel's client for every server, and every
 * figure includes its time.
 */
export function measureOpenLoop(
  caseName: string,
  { callsPerSecond, connections }: OpenLoopWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const body = framed(echoMessage({ message: UNARY_MESSAGE }));
  const bodyFile = writeBody(caseName, body);
  const program = [process.execPath, "--conditions=source", join(OPEN_LOOP_FOLDER, "process.ts")];
  return measureEachServer(subjects, session, async ({ port }, round, seconds) => {
    // Compilers count calls, and at the rate of the case there are few.
    const load = { port, method: "Unary", bodyFile, leastResponseBytes: body.length, connections };
    if (round === 0) await warmUp({ ...load, streams: WARM_UP_STREAMS }, FIRST_WARM_UP_SECONDS);
    const numbers = [callsPerSecond, connections, WARM_UP_SECONDS, seconds].map(String);
    const timeoutMs = (WARM_UP_SECONDS + seconds) * 1000 + EXTRA_TIMEOUT_MS;
    const line = await lastLineOf([...program, `127.0.0.1:${port}`, ...numbers], LOAD_CORE, timeoutMs);
    return { value: readOpenLoopFigures(line).p99Micros };
  });
}
