import { join } from "node:path";
import type { PickWork } from "../case.ts";
import { PICK_FOLDER } from "../paths.ts";
import { runCommand } from "../process/command.ts";
import { MEASURED_CORE, pinned } from "../process/pinned.ts";
import { TERCEL } from "../subjects.ts";
import { interleave, type Outcome } from "./interleave.ts";
import { reportTurn, type Session } from "./session.ts";

/** The time limit for starting, connecting and the warm-up. */
const EXTRA_TIMEOUT_MS = 20_000;

/** Measures picks in a separate process, one round after the other. */
export function measurePicks(work: PickWork, session: Session): Promise<Map<string, Outcome>> {
  return interleave([TERCEL.name], session.rounds, async (name, round) => {
    const words = [work.policy, String(work.endpoints), String(session.seconds)];
    const output = await runCommand(
      pinned(MEASURED_CORE, [process.execPath, "--conditions=source", join(PICK_FOLDER, "process.ts"), ...words]),
      { timeoutMs: session.seconds * 1000 + EXTRA_TIMEOUT_MS },
    );
    const { picks, elapsedSeconds, cpuMicros } = JSON.parse(output);
    return reportTurn(session, name, round, { value: picks / elapsedSeconds, cpuMicros: cpuMicros / picks });
  });
}
