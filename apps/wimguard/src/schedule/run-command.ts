import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fail } from "../failure/failure.ts";

const execute = promisify(execFile);

/** A command that hangs must not keep a schedule for ever. */
const timeoutMs = 3_600_000;
const maxOutputBytes = 1024 * 1024;
const shownCharacters = 1000;

/**
 * Runs a command of a schedule, without a shell.
 *
 * @param outcome what became of the run, as WIMGUARD_STATE and WIMGUARD_RUN
 * @throws FailureError COMMAND_FAILED with the end of what it has printed
 */
export async function runCommand(
  command: readonly string[],
  outcome: { readonly state: string; readonly uuid: string },
): Promise<void> {
  const [program, ...args] = command;
  if (program === undefined) return;
  const env = { ...process.env, WIMGUARD_STATE: outcome.state, WIMGUARD_RUN: outcome.uuid };
  try {
    await execute(program, args, { env, timeout: timeoutMs, maxBuffer: maxOutputBytes });
  } catch (error) {
    const { code, signal, stderr = "" } = error as { code?: unknown; signal?: unknown; stderr?: string };
    const how = typeof code === "number" ? `ended with ${code}` : `failed (${String(code ?? signal)})`;
    const said = stderr.trim().slice(-shownCharacters);
    const message = `${program} ${how}${said === "" ? "" : `: ${said}`}`;
    fail({ reason: "COMMAND_FAILED", path: program, message }, error);
  }
}
