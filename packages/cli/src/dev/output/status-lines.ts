import { stripVTControlCharacters, type styleText } from "node:util";
import type { ServiceState } from "../process/supervised-service.ts";

type Style = Parameters<typeof styleText>[0];

/** The status of a service. */
export interface ServiceStatus {
  readonly name: string;
  /** Address, such as `127.0.0.1:50051`; empty until it is known. */
  readonly address: string;
  readonly state: ServiceState;
  readonly restarts: number;
  /** Reason why it is not serving; empty if unknown. */
  readonly reason: string;
}

const styles: Readonly<Record<ServiceState, Style>> = {
  waiting: "dim",
  starting: "yellow",
  serving: "green",
  "not serving": "red",
  checking: "yellow",
  restarting: "yellow",
  crashed: "red",
  broken: "red",
  stopping: "yellow",
  stopped: "dim",
};

/** Returns a line for each service: name, address, health, restarts. */
export function statusLines(
  services: readonly ServiceStatus[],
  style: (style: Style, text: string) => string,
): readonly string[] {
  const width = (cells: readonly string[]): number => Math.max(0, ...cells.map((cell) => cell.length));
  const names = width(services.map(({ name }) => name));
  const addresses = width(services.map(({ address }) => address));
  return services.map(({ name, address, state, restarts, reason }) => {
    const restarted = restarts === 0 ? "" : restarts === 1 ? "1 restart" : `${restarts} restarts`;
    const isLast = restarted === "" && reason === "";
    const cells = [
      style("bold", name.padEnd(names)),
      address.padEnd(addresses),
      style(styles[state], `● ${state}`.padEnd(isLast ? 0 : 13)),
      style("dim", restarted),
      reason,
    ];
    return cells.filter((cell) => stripVTControlCharacters(cell) !== "").join("  ");
  });
}
