/** Why a daemon did not start, for its exit code. */
export type StartProblem = "config" | "locked" | "damaged";

/** The daemon cannot start; the message says what to do. */
export class StartError extends Error {
  readonly problem: StartProblem;

  constructor(problem: StartProblem, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StartError";
    this.problem = problem;
  }
}
