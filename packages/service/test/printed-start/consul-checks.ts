// What a Consul agent on this machine says of a service's check.

export interface ServiceCheck {
  readonly ServiceName: string;
  readonly Status: string;
  readonly Output: string;
}

/** What the printed files ask for. */
const intervalMs = 10_000;
const pauseMs = 200;

/** The check of a service, once the agent has made it; undefined before that. */
export async function readCheck(service: string): Promise<ServiceCheck | undefined> {
  const response = await fetch("http://127.0.0.1:8500/v1/agent/checks");
  const checks = (await response.json()) as Record<string, ServiceCheck>;
  return Object.values(checks).find(({ ServiceName, Output }) => ServiceName === service && Output !== "");
}

export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}

/** Follows a check that is passing over three of its intervals. Resolves to how it went, for a line of the test. */
export async function holdsPassing(service: string): Promise<string> {
  const untilMs = performance.now() + 3 * intervalMs;
  while (performance.now() < untilMs) {
    const status = (await readCheck(service))?.Status;
    if (status !== "passing") return `held ${status}`;
    await pause();
  }
  return "held passing for three intervals";
}
