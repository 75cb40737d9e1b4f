/**
 * Returns how many calls take about this time at a rate: at least the calls in flight, and the same number for each connection, because
 * h2load distributes them evenly.
 */
export function callCount(
  callsPerSecond: number,
  seconds: number,
  load: { readonly connections: number; readonly streams: number },
): number {
  const perConnection = Math.round((callsPerSecond * seconds) / load.connections);
  return load.connections * Math.max(load.streams, perConnection);
}
