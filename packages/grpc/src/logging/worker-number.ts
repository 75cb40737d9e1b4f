/** Set in the environment of each worker that `runWorkers` of `@tercel/service` starts. */
export const workerVariable = "TERCEL_WORKER";

/**
 * Which of its siblings this process is, from 1 on; undefined where `runWorkers` has not made it. A worker that replaces
 * another has the same number. For labels of logs: the framework's own lines have it as `worker`.
 */
export function workerNumber(): number | undefined {
  const text = process.env[workerVariable];
  return text === undefined ? undefined : Number(text);
}
